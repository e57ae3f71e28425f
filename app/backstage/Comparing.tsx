import type { Comparison } from '../../src/play/compareWithRuntime.ts'
import asides from '../shared/Asides.module.css'
import { Button } from '../shared/Button.tsx'
import { tokensPerSecond } from '../shared/deviceAdvice.ts'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { compareModel, putAwayComparison, useComparison } from '../stores/engine/comparison.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { backstageText } from '../words/backstage.ts'

interface ComparingProps {
  readonly isDisabled: boolean
}

/** Whether the kernels compute what onnxruntime computes from the same files. */
export default function Comparing({ isDisabled }: ComparingProps) {
  const { isWorking, found, failure, of } = useComparison()
  const info = useEngine((state) => state.info)
  const isOfThis = of === info
  return (
    <div role="group" aria-label={backstageText('compare')}>
      <p className={asides.quiet}>{backstageText('compare.about')}</p>
      <Button
        label={backstageText(isWorking ? 'compare.working' : 'compare')}
        disabled={isDisabled || isWorking}
        onClick={() => void compareModel()}
      />
      {isOfThis && failure && <ErrorNotice failure={failure} onDismiss={putAwayComparison} />}
      {isOfThis &&
        found &&
        sentences(found).map((sentence) => (
          <p key={sentence} className={asides.note} role="status">
            {sentence}
          </p>
        ))}
    </div>
  )
}

function sentences(found: Comparison): readonly string[] {
  const { nmse, nmseUnrounded, firstDifferentToken: at, onnxruntime } = found
  const { kernels: ours, onnxruntime: theirs } = found.tokensPerSecond
  if (nmse === null || ours === null) return []
  const count = onnxruntime.length
  return [
    backstageText(found.isSame ? 'compare.same' : 'compare.other', {
      error: (nmseUnrounded ?? nmse).toExponential(1),
    }),
    ...(nmseUnrounded === null ? [] : [backstageText('compare.rounded', { error: nmse.toExponential(1) })]),
    at === null
      ? backstageText('compare.tokens', { count })
      : backstageText('compare.differs', { count, same: at }),
    backstageText('compare.rates', { ours: tokensPerSecond(ours), theirs: tokensPerSecond(theirs) }),
  ]
}
