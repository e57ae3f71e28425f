import { check } from '../../core/errors.ts'
import type { StepReport } from './trainer.ts'

/** So many steps in a row with the same sign, and it is none of chance. */
const IN_A_ROW = 3
/** A loss is far above its start by this factor and at least so many nats. */
const FAR = 1.5
const FAR_NATS = 1

/** Watches a run for the signs that it is lost. */
export class RunWatch {
  private still = 0
  private high = 0
  private isTold = false

  /**
   * Looks at a step.
   *
   * @param first the cross-entropy of the first step.
   * @returns a sentence, once, where the loss lies far above its start.
   */
  look(
    { crossEntropy, gradientNorm, learningRate, isSkipped }: StepReport,
    first: number | null,
  ): string | null {
    if (isSkipped || first === null) return null
    this.still = gradientNorm === 0 && learningRate > 0 ? this.still + 1 : 0
    const isFar = crossEntropy > FAR * first && crossEntropy > first + FAR_NATS
    this.high = isFar ? this.high + 1 : 0
    if (this.high < IN_A_ROW || this.isTold) return null
    this.isTold = true
    return `The loss is ${crossEntropy.toFixed(2)}, far above the ${first.toFixed(2)} it began with: the run is lost where it does not come down again. Begin anew with a smaller learning rate.`
  }

  /** Whether nothing is learnt any more: several steps in a row had a gradient of zero. */
  get isStill(): boolean {
    return this.still >= IN_A_ROW
  }
}

/** Ends a run in which nothing is learnt any more. @throws HycoraError `training-diverged`. */
export function endIfStill(watch: RunWatch, step: number, loss: number): void {
  check(
    !watch.isStill,
    'training-diverged',
    () =>
      `from step ${step - IN_A_ROW + 1} on the gradient is zero, at a loss of ${loss.toFixed(2)}: the run is lost; begin anew with a smaller learning rate`,
  )
}
