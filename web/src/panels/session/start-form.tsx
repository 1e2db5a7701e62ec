import { TagsInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useCommand } from '../../state/use-command.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { START } from './documents.ts'
import styles from './session.module.css'

export function StartForm({ changed }: { changed: () => void }) {
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
