import type { AnswerEnd, SplitDialogue } from '../core/dialogue.ts'
import type { Failure } from '../core/errors.ts'
import type { PathChoice, PathRates } from '../core/path.ts'
import type { Sampling } from '../core/sampling.ts'
import type { ScriptReport } from '../core/script.ts'
import type {
  AnswersPoint,
  HeldOutPoint,
  RoleMap,
  RunPlan,
  StepPoint,
  TrialQuestions,
} from '../core/training.ts'
import type { PackFile, PackRef, RoleFacts } from '../formats/packFacts.ts'
import type { GpuBytes } from '../model/decoder/backbone.ts'
import type { Comparison } from '../play/compareWithRuntime.ts'
import type { Computing, LoadProgress } from '../play/path.ts'
import type { Scene } from '../play/scene.ts'
import type { StageFiles } from '../play/stage.ts'
import type { Candidate, WeighedPiece } from '../play/weigh.ts'
import type { DatasetFile } from '../formats/datasets.ts'
import type { Sample } from '../train/data/samples.ts'

/*
 * What the page and the engine's worker say to each other. Types only.
 *
 *   page → worker   {kind: <request>, id, params} · {kind: 'cancel', id}
 *   worker → page   {kind: 'yield', id, value}* then one of {kind: 'return', id, value} · {kind: 'throw', id, code, message}
 *                   {kind: 'device', state, info} whenever the state of the graphics device changes
 *                   {kind: 'unread'} when a request came that the browser could not unpack
 */

/** What the browser offers for computing, for the diagnostics and for the message when it offers nothing. */
export interface DeviceReport {
  /** `ready`: a real GPU; `software`: a processor pretending to be one; the others: none, each for its own reason. */
  readonly status: 'ready' | 'software' | 'no-webgpu' | 'no-adapter' | 'no-device'
  readonly vendor: string
  readonly architecture: string
  readonly description: string
  readonly features: readonly string[]
  readonly limits: Readonly<Record<string, number>>
  /** The browser's own words where something failed, else empty. */
  readonly reason: string
}

/** `recovering`: lost, the model is being put back, answers go on by themselves; `needs-reload`: that failed. */
export type DeviceState = 'ready' | 'recovering' | 'needs-reload'

export interface BackboneInfo {
  readonly name: string
  readonly architecture: string
  readonly fingerprint: string
  readonly layers: number
  readonly hidden: number
  /** The size of one attention head. */
  readonly headDim: number
  readonly vocabulary: number
  /** How many numbers its weights have. */
  readonly parameters: number
  /** The most tokens that prompt and answer may have together on this device. */
  readonly context: number
  /** Whether keeping to the question leaves more than half the speed. */
  readonly affordsGuidance: boolean
  /** Bytes of GPU memory by purpose. */
  readonly gpuBytes: GpuBytes
  /** How the weights are stored, for people: "float16", "4-bit blocks of 32". */
  readonly weightFormat: string
  readonly computing: Computing
  readonly roles: readonly RoleFacts[]
  /** One sentence each, for example that a pack applies without a fingerprint to compare. */
  readonly warnings: readonly string[]
}

export interface LoadParams extends StageFiles {
  readonly path: PathChoice
  /** What was measured of this model on this device before; it is not measured again. */
  readonly rates: PathRates
  /** Whether this device and browser computed known answers rightly before. */
  readonly isSound?: boolean
}

export interface GenerateParams {
  readonly scene: Scene
  readonly sampling: Sampling
  readonly maxTokens: number
  /** Strings before which the answer ends. */
  readonly stops?: readonly string[]
}

export interface TokenDelta {
  readonly text: string
  /** Tokens generated so far in this answer. */
  readonly tokens: number
}

export interface GenerationSummary {
  /** All the text that this request generated (with `continueLast`, without what was there before). */
  readonly text: string
  readonly promptTokens: number
  readonly tokens: number
  /** Index of the first turn that the model could read; turns before it were cut to fit the context. */
  readonly firstTurn: number
  readonly stop: AnswerEnd
  readonly firstTokenMs: number
  readonly tokensPerSecond: number
}

/** What is sent to the model for a scene, as text, with its length in tokens. */
export interface PromptPreview {
  readonly text: string
  /** What is read beside it where an answer keeps to its question; null where there is nothing to replace. */
  readonly beside: string | null
  readonly tokens: number
  readonly firstTurn: number
  readonly context: number
  /** What came of the scene's script, and what found no room. */
  readonly script: ScriptReport
}

export interface TrainParams {
  /** The loaded backbone's name; training goes on the backbone that is loaded. */
  readonly backbone: string
  readonly dialogues: readonly SplitDialogue[]
  /** The configuration file's JSON; the engine validates it. */
  readonly config: unknown
  /** The pack to go on from; null begins with nothing. */
  readonly start: PackFile | null
  /** A checkpoint of the same run; the run goes on behind its step. */
  readonly checkpoint: Blob | null
  readonly trial: TrialQuestions
  /** The share of time that the run may keep the device busy, 0.1 to 1; `tune` changes it while it runs. */
  readonly duty: number
}

/** A run that is not begun: what decides how long it takes. */
export type PlannedRun = Pick<TrainParams, 'backbone' | 'dialogues' | 'config' | 'start'>

/** What a planned run takes on this device. */
export interface TrainEstimate {
  /** By a step of 32 tokens, scaled to those of this run. */
  readonly secondsPerStep: number
  /** With the padding of shorter rows. */
  readonly tokensPerStep: number
  /** Bytes of GPU memory by formula, beside the backbone's weights. */
  readonly gpuBytes: number
}

/** What a training run says while it goes. */
export type TrainEvent =
  | ({ readonly kind: 'plan' } & RunPlan)
  /** `isSkipped`: non-finite values were found and the step was not applied. */
  | ({ readonly kind: 'step'; readonly isSkipped: boolean } & StepPoint)
  | ({ readonly kind: 'held-out' } & HeldOutPoint)
  | ({ readonly kind: 'answers' } & AnswersPoint)
  | { readonly kind: 'map'; readonly step: number; readonly map: RoleMap }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly file: Blob }
  /** What the run has come to at a step whose trial was held. */
  | { readonly kind: 'pack'; readonly step: number; readonly pack: Blob }
  /** Something the person should know: a roll-back with a halved rate, rows that were cut. */
  | { readonly kind: 'note'; readonly message: string }

export interface TrainResult {
  /** The persona pack as it is now (after `cancel` too). */
  readonly pack: Blob
  /** The pack at the lowest held-out loss, where that was not the last. */
  readonly best: Blob | null
  readonly step: number
  readonly isFinished: boolean
}

/** What pasted or dropped texts hold, before anything is trained on it. */
export interface DatasetReport {
  readonly format: string
  readonly dialogues: readonly SplitDialogue[]
  /** `file`: where there are several. */
  readonly rejected: readonly { readonly line: number; readonly reason: string; readonly file?: string }[]
  readonly droppedSystemTurns: number
  /** What else should be told of the reading, a sentence each. */
  readonly notes: readonly string[]
  readonly duplicates: number
  readonly roles: readonly { readonly name: string; readonly train: number; readonly test: number }[]
  /** Token lengths of the rows by the loaded backbone's tokenizer; empty where none is loaded. */
  readonly lengths: readonly number[]
  readonly cut: { readonly rows: number; readonly turns: number; readonly tokens: number }
  /** A handful of each role's rows as they will be learnt; by turns alone where no backbone is loaded. */
  readonly samples: readonly Sample[]
  /** The header of a CSV whose columns the person maps; null for other formats. */
  readonly columns: readonly string[] | null
}

export interface DatasetParams {
  readonly files: readonly DatasetFile[]
  /** Who a reply belongs to where the text does not say. */
  readonly roleName: string | null
  readonly columns: { readonly role: string | null; readonly user: string; readonly reply: string } | null
  readonly maxTokens: number
  readonly seed: number
  /** The line before every chat, in which `{name}` is the role's, as training will put it in front; null for none. */
  readonly system: string | null
}

export interface ProofParams {
  readonly pack: PackRef
  /** The roles that are to play. */
  readonly roles: readonly string[]
}

/** That roles of a pack can play here: every logit is finite, and each role changes what the model says. */
export interface PackProof {
  /** ‖logits as the role − bare logits‖ / ‖bare logits‖, by role. */
  readonly changes: readonly { readonly role: string; readonly change: number }[]
  readonly warnings: readonly string[]
}

export interface EngineRequests {
  /** Lets roles of a pack speak once, before anything else is done with it; a pack that fails leaves nothing changed. */
  prove: {
    params: ProofParams
    yields: { readonly done: number; readonly total: number }
    returns: PackProof
  }
  /** How near the roles of a pack are; without a pack, of the one that came with the backbone. */
  map: { params: { readonly pack?: PackRef }; yields: never; returns: RoleMap }
  /** Reads a dataset and splits it; nothing leaves the worker. */
  dataset: { params: DatasetParams; yields: never; returns: DatasetReport }
  /** Tries a short step of a run; what depends on neither rows nor steps is tried once a backbone. */
  estimate: { params: PlannedRun; yields: never; returns: TrainEstimate }
  /** Trains until done or cancelled; a cancelled run gives a checkpoint first, and can go on from it. */
  train: { params: TrainParams; yields: TrainEvent; returns: TrainResult }
  /** Changes the duty of the run under way. */
  tune: { params: { readonly duty: number }; yields: never; returns: null }
  diagnose: { params: Record<string, never>; yields: never; returns: DeviceReport }
  /** How much more memory the graphics card gives, up to `wanted` bytes; null where there is none. */
  room: { params: { readonly wanted: number }; yields: never; returns: number | null }
  /** The same prompt to the kernels on stage and to onnxruntime, from the same files. */
  compare: { params: Record<string, never>; yields: never; returns: Comparison }
  load: { params: LoadParams; yields: LoadProgress; returns: BackboneInfo }
  generate: { params: GenerateParams; yields: TokenDelta; returns: GenerationSummary }
  /** Answers several scenes at once. */
  together: {
    params: {
      readonly answers: readonly Pick<GenerateParams, 'scene' | 'sampling' | 'stops'>[]
      readonly maxTokens: number
    }
    /** `index` of the answer. */
    yields: { readonly index: number; readonly text: string }
    returns: readonly Pick<GenerationSummary, 'text' | 'tokens' | 'stop'>[]
  }
  preview: { params: Scene; yields: never; returns: PromptPreview }
  /** How likely the same words are as the answer in each of several scenes, token by token. */
  weigh: {
    params: { readonly scenes: readonly Scene[]; readonly text: string }
    /** `index` of the scene. */
    yields: { readonly index: number; readonly pieces: readonly WeighedPiece[] }
    returns: null
  }
  /** The likeliest tokens in the place of one of `weigh`'s pieces, by scene. */
  alternatives: {
    params: { readonly scenes: readonly Scene[]; readonly text: string; readonly piece: number }
    yields: never
    returns: readonly (readonly Candidate[])[]
  }
}

export type RequestKind = keyof EngineRequests

export type ToWorker =
  | {
      [K in RequestKind]: {
        readonly kind: K
        readonly id: number
        readonly params: EngineRequests[K]['params']
      }
    }[RequestKind]
  | { readonly kind: 'cancel'; readonly id: number }

export type FromWorker =
  | { readonly kind: 'yield'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'return'; readonly id: number; readonly value: unknown }
  | ({ readonly kind: 'throw'; readonly id: number } & Failure)
  /** Nobody can say which request it was, so every one that waits has failed. */
  | { readonly kind: 'unread' }
  /** `info` is that of the backbone that has taken the lost one's place; null where none has. */
  | { readonly kind: 'device'; readonly state: DeviceState; readonly info: BackboneInfo | null }
