import { useOffline } from '../stores/page/offline.ts'
import { Button } from './Button.tsx'
import { reload } from './ErrorNotice.tsx'
import { Notice } from './Notice.tsx'
import { sharedText } from '../words/shared.ts'

/** That a newer version of this page waits; it comes when the visitor says so, or with the next start. */
export function NewerNotice() {
  const newer = useOffline((state) => state.newer)
  if (newer === 'elsewhere') {
    return (
      <Notice
        title={sharedText('newer.elsewhere')}
        tone="calm"
        actions={<Button label={sharedText('reload')} icon="again" onClick={reload} />}
      >
        <p>{sharedText('newer.elsewhere.about')}</p>
      </Notice>
    )
  }
  const isWanted = newer === 'wanted'
  return (
    <Notice
      title={sharedText('newer')}
      tone="calm"
      actions={
        <>
          <Button
            label={isWanted ? sharedText('newer.waiting') : sharedText('newer.use')}
            icon="again"
            disabled={isWanted}
            onClick={() => void change()}
          />
          {!isWanted && (
            <Button
              label={sharedText('newer.later')}
              look="quiet"
              onClick={() => useOffline.setState({ newer: 'none' })}
            />
          )}
        </>
      }
    >
      <p>{sharedText('newer.about')}</p>
    </Notice>
  )
}

/** What does it has come long ago: it has told of the newer version. */
async function change(): Promise<void> {
  const { changeToNewer } = await import('../stores/exchange/keepPage.ts')
  await changeToNewer()
}
