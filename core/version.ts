/** Of the whole product; the workspaces follow it. */
export const VERSION = '0.1.0'
