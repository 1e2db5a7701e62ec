import { TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import { formatDuration } from '../../model/format.ts'
import { useCommand } from '../../state/use-command.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { Moment } from '../../ui/value.tsx'
import { ANNOTATE, END, type Session } from './documents.ts'
import styles from './session.module.css'

const NOTES_SHOWN = 3

/** The session that is open: who, since when, its last notes, and its end. */
export function OpenSession({ session, changed }: { session: Session; changed: () => void }) {
  const [asking, setAsking] = useState(false)
  const [note, setNote] = useState('')
  const end = useCommand(END, changed)
  const annotate = useCommand(ANNOTATE, () => {
    setNote('')
    changed()
  })
  const notes = session.notes.slice(-NOTES_SHOWN)
  const runs = session.runs.edges.length
  return (
    <div className="stack" data-session={session.title}>
      <div className={styles.head}>
        <div>
          <h3>{session.title}</h3>
          <p className="quiet">
            {session.operator}, since <Moment at={session.startedAt} /> (<Elapsed since={session.startedAt} />
            ), {runs}
            {session.runs.pageInfo.hasNextPage && '+'} {runs === 1 ? 'run' : 'runs'}
          </p>
        </div>
        {asking ? (
          <div className="row">
            <Button kind="halt" busy={end.busy} onClick={() => void end.send({ id: session.id })}>
              End it now
            </Button>
            <Button kind="quiet" onClick={() => setAsking(false)}>
              Keep open
            </Button>
          </div>
        ) : (
          <Button onClick={() => setAsking(true)}>End session…</Button>
        )}
      </div>
      {session.tags.length > 0 && (
        <div className="row">
          {session.tags.map((tag) => (
            <span key={tag} className="tag">
              {tag}
            </span>
          ))}
        </div>
      )}
      {notes.length > 0 && (
        <ul className={styles.notes}>
          {notes.map((entry) => (
            <li key={entry.id}>
              <span className="quiet">
                <Moment at={entry.time} /> {entry.author}
              </span>
              <p>{entry.text}</p>
            </li>
          ))}
        </ul>
      )}
      <form
        className={styles.noteLine}
        onSubmit={(event) => {
          event.preventDefault()
          void annotate.send({ input: { sessionId: session.id, text: note.trim() } })
        }}
      >
        <TextInput aria-label="Note" placeholder="Note what you see" value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        <Button type="submit" busy={annotate.busy} disabled={note.trim() === ''}>
          Add note
        </Button>
      </form>
      <RefusalNote refusal={end.refusal ?? annotate.refusal} onDismiss={end.refusal === undefined ? annotate.dismiss : end.dismiss} />
    </div>
  )
}

function Elapsed({ since }: { since: string }) {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 10_000)
    return () => clearInterval(timer)
  }, [])
  return <>{formatDuration(nowMs - Date.parse(since))}</>
}
