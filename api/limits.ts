/** Of one document, over HTTP and WebSocket alike; our largest has about 600. What it may cost to execute is said in builder.ts. */
export const MAX_TOKENS = 2_000
/** Of one HTTP request: a document and its variables. Files go another way. */
export const MAX_BODY = '1mb'
