import { retryEngine, useEngine } from '../stores/engine.ts'
import { changeSettings, useSettings } from '../stores/settings.ts'
import { Button } from './Button.tsx'
import { CopyDiagnostics } from './CopyDiagnostics.tsx'
import { deviceText } from './deviceText.ts'
import type { DeviceAdvice } from './deviceText.ts'
import { ErrorNotice, reload } from './ErrorNotice.tsx'
import { Notice } from './Notice.tsx'

/** What stands between the visitor and an answer, if anything does. */
export function EngineNotices() {
  const obstacle = useEngine((state) => state.obstacle)
  const failure = useEngine((state) => state.failure)
  const device = useEngine((state) => state.device)
  const isSoftware = useEngine((state) => state.report?.status === 'software')
  const isSoftwareNoteRead = useSettings((state) => state.isSoftwareNoteRead)

  if (obstacle) return <ObstacleNotice text={deviceText[obstacle]} canRetry={obstacle !== 'insecure'} />
  if (device === 'needs-reload') {
    return (
      <Notice
        title={deviceText['needs-reload'].title}
        tone="danger"
        actions={
          <>
            <Button label="Reload the page" icon="again" look="strong" onClick={reload} />
            <CopyDiagnostics />
          </>
        }
      >
        <Advice text={deviceText['needs-reload']} />
      </Notice>
    )
  }
  if (failure) return <ErrorNotice failure={failure} onRetry={() => void retryEngine()} />
  if (device === 'recovering') {
    return (
      <Notice title={deviceText.recovering.title} tone="warning">
        <Advice text={deviceText.recovering} />
      </Notice>
    )
  }
  if (isSoftware && !isSoftwareNoteRead) {
    return (
      <Notice
        title={deviceText.software.title}
        tone="calm"
        actions={<Button label="Understood" onClick={() => changeSettings({ isSoftwareNoteRead: true })} />}
      >
        <p>
          {deviceText.software.what} {deviceText.software.works} {deviceText.software.next}
        </p>
      </Notice>
    )
  }
  return null
}

function ObstacleNotice({ text, canRetry }: { readonly text: DeviceAdvice; readonly canRetry: boolean }) {
  const reason = useEngine((state) => state.report?.reason)
  return (
    <Notice
      title={text.title}
      tone="warning"
      actions={
        <>
          {canRetry && <Button label="Try again" icon="again" onClick={() => void retryEngine()} />}
          <CopyDiagnostics />
        </>
      }
    >
      <Advice text={text} />
      {reason && (
        <p>
          <code>{reason}</code>
        </p>
      )}
    </Notice>
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
