import { followedRun } from '../../state/followed-run.ts'
import { useStore } from '../../state/store.ts'
import { Button } from '../../ui/button.tsx'

/** Its number, which shows its curve in the scan panel. */
export function RunNumber({ run }: { run: { id: string; number: number } }) {
  const followed = useStore(followedRun)
  return (
    <Button
      kind="quiet"
      aria-pressed={followed === run.id}
      title="Show its curve in the scan panel"
      aria-label={`Show the curve of run ${run.number}`}
      onClick={() => followedRun.set(run.id)}
    >
      #{run.number}
    </Button>
  )
}
