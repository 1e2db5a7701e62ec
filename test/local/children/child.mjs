// A process under the supervisor, as simple as can be. BEHAVIOUR says what it does.
const behaviour = process.env.BEHAVIOUR
process.on('message', ({ type }) => {
  if (type === 'stop' && behaviour !== 'stubborn') process.exit(0)
})
process.on('disconnect', () => process.exit(0))
setInterval(() => undefined, 60_000)

if (behaviour === 'crashing') process.exit(3)
else if (behaviour === 'refusing') process.send({ type: 'failed', reason: 'port 4000 is taken' }, () => process.exit(78))
else process.send({ type: 'ready' })
