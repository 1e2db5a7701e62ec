import { TagsInput, TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'
import { formatDuration } from '../../data/format.ts'
import { graphql, type ResultOf } from '../../graphql.ts'
import { useCommand, useFresh } from '../../state/lab.tsx'
import { Button } from '../../ui/button.tsx'
import { PanelFrame } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { Moment } from '../../ui/value.tsx'
import styles from './session.module.css'

const OPEN = graphql(`
  query OpenSessions {
    sessions(filter: { state: OPEN }, first: 5) {
      edges {
        node {
          id
          title
          operator
          startedAt
          tags
          runs(first: 5) { edges { node { id } } pageInfo { hasNextPage } }
          notes { id time author text }
        }
      }
    }
  }
`)

type Session = ResultOf<typeof OPEN>['sessions']['edges'][number]['node']

const START = graphql(`
  mutation StartSession($input: StartSessionInput!) {
    startSession(input: $input) {
      ... on Session { id }
      ... on Problem { message code }
    }
  }
`)

const END = graphql(`
  mutation EndSession($id: ID!) {
    endSession(id: $id) {
      ... on Session { id }
      ... on Problem { message code }
    }
  }
`)

const ANNOTATE = graphql(`
  mutation Annotate($input: AnnotateInput!) {
    annotate(input: $input) {
      ... on Note { id }
      ... on Problem { message code }
    }
  }
`)

const NO_VARIABLES = {}

/** What the lab is used for now: start a session, note what happens, end it. */
export function Panel() {
  const { data, problem, refresh } = useFresh(OPEN, NO_VARIABLES, ['SESSION', 'RUN'])
  const open = data?.sessions.edges.map((edge) => edge.node) ?? []
  return (
    <PanelFrame note={data === undefined ? undefined : open.length === 0 ? 'none open' : undefined}>
      <div className="stack">
        {problem !== undefined && <RefusalNote refusal={{ message: problem }} />}
        {open.map((session) => (
          <OpenSession key={session.id} session={session} changed={refresh} />
        ))}
        {data !== undefined && open.length === 0 && <StartForm changed={refresh} />}
      </div>
    </PanelFrame>
  )
}

function StartForm({ changed }: { changed: () => void }) {
  const [title, setTitle] = useState('')
  const [tags, setTags] = useState<string[]>([])
  const start = useCommand(START, changed)
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        void start.send({ input: { title: title.trim(), tags } })
      }}
    >
      <TextInput label="Title" placeholder="What is this session about?" value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
      <div className={styles.startLine}>
        <TagsInput
          label="Tags"
          placeholder={tags.length === 0 ? 'Enter after each' : ''}
          value={tags}
          onChange={setTags}
          data={[]}
          size="sm"
          clearButtonProps={{ 'aria-label': 'Remove all tags' }}
        />
        <Button type="submit" kind="primary" busy={start.busy} disabled={title.trim() === ''}>
          Start session
        </Button>
      </div>
      <RefusalNote refusal={start.refusal} onDismiss={start.dismiss} />
    </form>
  )
}

const NOTES_SHOWN = 3

function OpenSession({ session, changed }: { session: Session; changed: () => void }) {
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
