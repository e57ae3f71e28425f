import { useOffline } from '../stores/page/offline.ts'
import { retryEngine, useEngine } from '../stores/engine/engine.ts'
import { changeSettings, useSettings } from '../stores/page/settings.ts'
import { Button } from './Button.tsx'
import { CopyDiagnostics } from './CopyDiagnostics.tsx'
import { Detail } from './Detail.tsx'
import { deviceAdvice, slowAdvice } from './deviceAdvice.ts'
import type { DeviceAdvice } from './deviceAdvice.ts'
import { ErrorNotice, reload } from './ErrorNotice.tsx'
// With the page and not later: in a tab that is no longer the newest, its file may be gone.
import { NewerNotice } from './NewerNotice.tsx'
import { Notice } from './Notice.tsx'
import { sharedText } from '../words/shared.ts'

/** What stands between the visitor and an answer, or slows it, and whether the page has a newer version. */
export function EngineNotices() {
  const isNewer = useOffline((state) => state.newer !== 'none')
  return (
    <>
      {isNewer && <NewerNotice />}
      <Troubles />
    </>
  )
}

/** What stands between the visitor and an answer, if anything does. */
function Troubles() {
  const phase = useEngine((state) => state.phase)
  const failure = useEngine((state) => state.failure)
  const device = useEngine((state) => state.device)

  if (phase === 'blocked') {
    return (
      <Notice title={deviceAdvice('insecure').title} tone="warning" actions={<CopyDiagnostics />}>
        <Advice text={deviceAdvice('insecure')} />
      </Notice>
    )
  }
  if (device === 'needs-reload') {
    return (
      <Notice title={deviceAdvice('needs-reload').title} tone="danger" actions={<ReloadActions />}>
        <Advice text={deviceAdvice('needs-reload')} />
      </Notice>
    )
  }
  if (failure) return <ErrorNotice failure={failure} onRetry={() => void retryEngine()} />
  if (device === 'recovering') {
    return (
      <Notice title={deviceAdvice('recovering').title} tone="warning">
        <Advice text={deviceAdvice('recovering')} />
      </Notice>
    )
  }
  return <SlowNotice />
}

/** Says that the processor answers, why, and at what rate; once read, it stays away until the reason is a loss. */
function SlowNotice() {
  const info = useEngine((state) => state.info)
  const isSoftware = useEngine((state) => state.report?.status === 'software')
  const isRead = useSettings((state) => state.isSoftwareNoteRead)
  const text = info && slowAdvice(info, isSoftware)
  if (!text) return null
  const { why, reason } = info.computing
  const isLoss = why === 'lost'
  if (isRead && !isLoss) return null
  return (
    <Notice
      title={text.title}
      tone={isLoss ? 'warning' : 'calm'}
      actions={
        isLoss ? (
          <ReloadActions />
        ) : (
          <>
            <Button
              label={sharedText('understood')}
              onClick={() => changeSettings({ isSoftwareNoteRead: true })}
            />
            <CopyDiagnostics />
          </>
        )
      }
    >
      <p>
        {text.what} {text.works}
      </p>
      {isLoss && <p>{text.next}</p>}
      {!isLoss && text.next && (
        <details>
          <summary>{sharedText('howToHaveCard')}</summary>
          <p>{text.next}</p>
          {reason && (
            <p>
              <code>
                <Detail detail={reason} />
              </code>
            </p>
          )}
        </details>
      )}
    </Notice>
  )
}

function ReloadActions() {
  return (
    <>
      <Button label={sharedText('reload')} icon="again" look="strong" onClick={reload} />
      <CopyDiagnostics />
    </>
  )
}

function Advice({ text }: { readonly text: DeviceAdvice }) {
  return (
    <>
      <p>{text.what}</p>
      <p>{text.works}</p>
      {text.next && <p>{text.next}</p>}
    </>
  )
}
