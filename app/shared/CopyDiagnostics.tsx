import { useEngine } from '../stores/engine/engine.ts'
import { CopyButton } from './CopyButton.tsx'
import { describeCircumstances } from './diagnostics.ts'
import { sharedText } from '../words/shared.ts'

/** Copies what helps to explain a failure. */
export function CopyDiagnostics() {
  return (
    <CopyButton label={sharedText('copyDetails')} text={() => describeCircumstances(useEngine.getState())} />
  )
}
