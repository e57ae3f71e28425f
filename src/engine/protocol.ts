import type { ErrorCode } from '../core/errors.ts'
import type { Sampling } from '../core/sampling.ts'

/*
 * What the page and the engine's worker say to each other. Types only.
 *
 *   page → worker   {kind: <request>, id, params} · {kind: 'cancel', id}
 *   worker → page   {kind: 'yield', id, value}* then one of {kind: 'return', id, value} · {kind: 'throw', id, code, message}
 *                   {kind: 'device', state} whenever the state of the graphics device changes
 */

/** What the browser offers for computing, for the diagnostics and for the message when it offers nothing. */
export interface DeviceReport {
  /** `ready`: a real GPU; `software`: a CPU pretending to be one; the others: no chat, each for its own reason. */
  readonly status: 'ready' | 'software' | 'no-webgpu' | 'no-adapter' | 'no-device'
  readonly vendor: string
  readonly architecture: string
  readonly description: string
  readonly features: readonly string[]
  readonly limits: Readonly<Record<string, number>>
  /** The browser's own words where something failed, else empty. */
  readonly reason: string
}

/** `recovering`: lost once, being rebuilt, answers go on by themselves; `needs-reload`: lost again, reload the page. */
export type DeviceState = 'ready' | 'recovering' | 'needs-reload'

export interface RoleInfo {
  readonly name: string
  /** The exact system text of training; null means no system turn at all. */
  readonly system: string | null
  /** The Character Card V3 `data` object that travels in the pack, unchecked; null without one. */
  readonly card: unknown
  /** The role's own vector [role_embedding]; empty where the pack has none. */
  readonly vector: Float32Array
}

export interface BackboneInfo {
  readonly name: string
  readonly architecture: string
  readonly fingerprint: string
  readonly layers: number
  readonly hidden: number
  readonly vocabulary: number
  /** The most tokens that prompt and answer may have together on this device. */
  readonly context: number
  /** Bytes of GPU memory by purpose. */
  readonly gpuBytes: {
    readonly weights: number
    readonly cache: number
    readonly adapter: number
    readonly workspace: number
  }
  /** How the weights lie on the GPU, for people: "float16", "4-bit blocks of 32". */
  readonly weightFormat: string
  readonly roles: readonly RoleInfo[]
  /** One sentence each, for example that a pack applies without a fingerprint to compare. */
  readonly warnings: readonly string[]
}

export interface LoadParams {
  readonly name: string
  /** The backbone's folder: relative path → file. */
  readonly files: ReadonlyMap<string, Blob>
  /** A persona pack, checked whole before anything of it is used. */
  readonly pack: { readonly name: string; readonly file: Blob } | null
}

export interface LoadProgress {
  readonly step: 'read' | 'upload' | 'compile' | 'warm-up'
  readonly doneBytes: number
  readonly totalBytes: number
}

/** One turn of a chat; `speaker` is the visitor or the role. */
export interface Turn {
  readonly speaker: 'user' | 'role'
  readonly text: string
}

/** What the model is to read: who plays, how strongly, and the chat so far. */
export interface Scene {
  /** A role of the pack, or null for the bare backbone. */
  readonly role: string | null
  /** 1 is the trained strength; 0 to 1.5. */
  readonly strength: number
  /** System text in place of the role's own line; undefined keeps that line. */
  readonly system?: string | null
  readonly turns: readonly Turn[]
  /** The last turn is the role's own and is carried on instead of answered. */
  readonly continueLast: boolean
}

export type { Sampling }

export interface GenerateParams {
  readonly scene: Scene
  readonly sampling: Sampling
  readonly maxTokens: number
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
  readonly stop: 'end' | 'length' | 'context' | 'cancelled'
  readonly firstTokenMs: number
  readonly tokensPerSecond: number
}

/** What is sent to the model for a scene, as text, with its length in tokens. */
export interface PromptPreview {
  readonly text: string
  readonly tokens: number
  readonly firstTurn: number
  readonly context: number
}

export interface EngineRequests {
  diagnose: { params: Record<string, never>; yields: never; returns: DeviceReport }
  load: { params: LoadParams; yields: LoadProgress; returns: BackboneInfo }
  generate: { params: GenerateParams; yields: TokenDelta; returns: GenerationSummary }
  preview: { params: Scene; yields: never; returns: PromptPreview }
  unload: { params: Record<string, never>; yields: never; returns: null }
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
  | { readonly kind: 'throw'; readonly id: number; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'device'; readonly state: DeviceState }
