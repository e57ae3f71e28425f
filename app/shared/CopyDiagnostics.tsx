import { useEngine } from '../stores/engine/engine.ts'
import { CopyButton } from './CopyButton.tsx'
import { describeCircumstances } from './diagnostics.ts'

/** Copies what helps to explain a failure. */
export function CopyDiagnostics() {
  return <CopyButton label="Copy the details" text={() => describeCircumstances(useEngine.getState())} />
}
