// Scope: live. What the loaded model's kernels compute, beside onnxruntime on the same files.
import { create } from 'zustand'

import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import type { BackboneInfo } from '../../../src/engine/protocol.ts'
import type { Comparison } from '../../../src/play/compareWithRuntime.ts'
import { connectedEngine, useEngine } from './engine.ts'

interface ComparisonState {
  readonly isWorking: boolean
  /** The model that it is of: another one has none yet. */
  readonly of: BackboneInfo | null
  readonly found: Comparison | null
  readonly failure: Failure | null
}

const nothing: ComparisonState = { isWorking: false, of: null, found: null, failure: null }

export const useComparison = create<ComparisonState>()(() => nothing)

/** Asks the kernels and onnxruntime the same; what goes wrong is told in the state. */
export async function compareModel(): Promise<void> {
  const engine = connectedEngine()
  const { info } = useEngine.getState()
  if (!engine || !info || useComparison.getState().isWorking) return
  useComparison.setState({ ...nothing, of: info, isWorking: true })
  try {
    const found = await engine.request('compare', {})
    useComparison.setState({ ...nothing, of: info, found })
  } catch (thrown) {
    useComparison.setState({ ...nothing, of: info, failure: failureOf(thrown, 'out-of-memory') })
  }
}

/** Puts away what was told of a comparison. */
export function putAwayComparison(): void {
  useComparison.setState(nothing)
}
