/** What a run will take. */
export interface RunPlan {
  readonly totalSteps: number
  readonly rows: number
  readonly heldOutRows: number
  readonly tokensPerStep: number
  /** Bytes of GPU memory by formula, beside the backbone's weights. */
  readonly gpuBytes: number
  /** Measured on one step before the run begins. */
  readonly secondsPerStep: number
}

/** One step, or the mean of several neighbouring ones, as the charts show it; `step` counts from 1. */
export interface StepPoint {
  readonly step: number
  readonly loss: number
  readonly crossEntropy: number
  readonly contrast: number
  readonly lambda: number
  readonly learningRate: number
  readonly gradientNorm: number
  readonly tokensPerSecond: number
  readonly secondsPerStep: number
}

/** The loss on rows that are never trained on. */
export interface HeldOutPoint {
  readonly step: number
  readonly loss: number
  readonly isBest: boolean
}

/** What the role in training answered to the trial questions. */
export interface AnswersPoint {
  readonly step: number
  readonly answers: readonly string[]
}

/** Distances between roles as the weights have them. */
export interface RoleMap {
  readonly names: readonly string[]
  /** Cosine between what each role has of its own, A, B or both, [roles, roles] row-major. */
  readonly cosines: Float32Array
  /** Its first two principal components, [roles, 2]. */
  readonly points: Float32Array
  /** The two roles that can hardly be told apart, the nearest where they are several; null where there are none. */
  readonly alike: readonly [string, string] | null
  /** Whether the roles share both A and B, and so are one. */
  readonly isShared: boolean
}

/** The questions that a role in training is asked every so many steps, greedily. */
export interface TrialQuestions {
  readonly role: string
  readonly prompts: readonly string[]
  readonly everySteps: number
}
