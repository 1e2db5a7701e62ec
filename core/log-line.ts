/** Of pino; info goes without a word. */
const LEVELS: Readonly<Record<number, string>> = { 10: ' trace', 20: ' debug', 40: ' warning', 50: ' error', 60: ' fatal' }

/** One record of a log (a line of JSON as pino writes it) as a person reads it: "14:03:22 api warning: what happened (device stage-x)". */
export function logLineForPeople(json: string): string {
  const { time, name, level, msg, err, pid: _pid, ...details } = JSON.parse(json) as Record<string, unknown>
  const clock = new Date(Number(time)).toTimeString().slice(0, 8)
  const said = Object.entries(details).map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : ''
  return `${clock} ${String(name)}${LEVELS[Number(level)] ?? ''}: ${String(msg ?? '')}${said.length > 0 ? ` (${said.join(', ')})` : ''}${stack}\n`
}
