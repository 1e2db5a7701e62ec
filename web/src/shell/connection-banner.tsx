import { useEffect, useState } from 'react'
import { formatDuration } from '../model/format.ts'
import { useLab } from '../state/lab.tsx'
import { useStore } from '../state/store.ts'
import { Button } from '../ui/button.tsx'

const QUIET_MS = 700 // a blink of the network is not worth a banner

/** Says that what is shown is old, for how long, and that the stop button still works. */
export function ConnectionBanner() {
  const { connection } = useLab()
  const { phase, sinceMs } = useStore(connection.state)
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    if (phase === 'LIVE') return undefined
    setNowMs(Date.now())
    const timer = setInterval(() => setNowMs(Date.now()), 500)
    return () => clearInterval(timer)
  }, [phase])
  if (phase === 'LIVE' || nowMs - sinceMs < QUIET_MS) return null
  return (
    <div className="banner" data-tone="warn" role="status">
      <strong>{phase === 'LOST' ? 'Connection lost' : 'Connecting'}</strong>
      <span>
        {phase === 'LOST'
          ? `What you see is ${formatDuration(nowMs - sinceMs)} old. Connecting again by itself; the emergency stop goes its own way and works.`
          : 'Waiting for the lab to answer.'}
      </span>
      <Button className="push" onClick={connection.retryNow}>
        Try now
      </Button>
    </div>
  )
}
