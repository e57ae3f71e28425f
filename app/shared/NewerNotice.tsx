import { useOffline } from '../stores/page/offline.ts'
import { Button } from './Button.tsx'
import { reload } from './ErrorNotice.tsx'
import { Notice } from './Notice.tsx'

/** That a newer version of this page waits; it comes when the visitor says so, or with the next start. */
export function NewerNotice() {
  const newer = useOffline((state) => state.newer)
  if (newer === 'elsewhere') {
    return (
      <Notice
        title="A newer version is in use"
        tone="calm"
        actions={<Button label="Reload the page" icon="again" onClick={reload} />}
      >
        <p>
          Another tab has changed to it. What this one has not loaded yet may be missing until you reload.
        </p>
      </Notice>
    )
  }
  const isWanted = newer === 'wanted'
  return (
    <Notice
      title="A newer version of this page is here"
      tone="calm"
      actions={
        <>
          <Button
            label={isWanted ? 'Waiting for the last words' : 'Use it now'}
            icon="again"
            disabled={isWanted}
            onClick={() => void change()}
          />
          {!isWanted && (
            <Button label="Later" look="quiet" onClick={() => useOffline.setState({ newer: 'none' })} />
          )}
        </>
      }
    >
      <p>
        The page loads anew for it, never in the middle of an answer or a rehearsal. Chats and characters stay
        as they are.
      </p>
    </Notice>
  )
}

/** What does it has come long ago: it has told of the newer version. */
async function change(): Promise<void> {
  const { changeToNewer } = await import('../stores/exchange/keepPage.ts')
  await changeToNewer()
}
