import { HycoraError, asHycoraError, check } from '../core/errors.ts'
import { pump } from '../core/pump.ts'
import { buildPrompt, cutText } from '../model/prompt.ts'
import type { Prompt } from '../model/prompt.ts'
import type { DeviceListener } from './client.ts'
import { reportDevice } from './deviceReport.ts'
import { estimateOn } from './estimate.ts'
import { findLoop } from './findLoop.ts'
import { closePath } from './openPath.ts'
import type {
  BackboneInfo,
  DatasetParams,
  DatasetReport,
  DeviceReport,
  EngineRequests,
  GenerateParams,
  GenerationSummary,
  LoadParams,
  LoadProgress,
  PlannedRun,
  PackProof,
  ProofParams,
  PromptPreview,
  Scene,
  TokenDelta,
  TrainEstimate,
  TrainEvent,
  TrainParams,
  TrainResult,
} from './protocol.ts'
import { provePack } from './provePack.ts'
import { readDatasetReport } from './readDatasetReport.ts'
import { castScene, setStage, systemOf } from './stage.ts'
import type { Stage } from './stage.ts'
import { trainOn } from './trainer.ts'

/** A second loss of the device within this time is not recovered: the browser refuses new adapters for as long. */
const LOSS_WINDOW_MS = 120_000

/** The share of the prompt that the system text may take. */
const SYSTEM_SHARE = 0.5

/** The share of the context that a long chat leaves free for the answer. */
const ANSWER_SHARE = 0.25

/** How long after a failure the loss of the device may be told that was its cause. */
const LOSS_NOTICE_MS = 3000

function nothing(): void {}

/** Whether a device is lost, or will be told to be within a moment: a failure alone does not say so. */
function isLost(device: GPUDevice): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), LOSS_NOTICE_MS)
    void device.lost.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

/** What the worker does with requests; knows nothing of messages. One backbone at a time, one answer at a time. */
export class Engine {
  private readonly gpu: GPU | undefined
  private readonly onDevice: DeviceListener
  private stage: Stage | null = null
  private params: LoadParams | null = null
  private recovery: Promise<Stage> | null = null
  private lastLossMs = -Infinity
  private duty = 1
  private queue: Promise<unknown> = Promise.resolve()

  constructor(gpu: GPU | undefined, onDevice: DeviceListener) {
    this.gpu = gpu
    this.onDevice = onDevice
  }

  diagnose(): Promise<DeviceReport> {
    return reportDevice(this.gpu)
  }

  /** Loads a backbone and a pack; what was loaded before stays until the new one is ready to be checked onto the GPU. */
  async *load(params: LoadParams): AsyncGenerator<LoadProgress, BackboneInfo> {
    const release = await this.enter()
    try {
      const stage = yield* pump<LoadProgress, Stage>((emit) => setStage(this.gpu, params, emit))
      if (this.stage) closePath(this.stage)
      this.recovery = null
      // What was measured now is not measured again when the device is lost.
      this.params = { ...params, rates: stage.info.computing.rates }
      this.install(stage)
      this.onDevice('ready', null)
      return stage.info
    } finally {
      release()
    }
  }

  async *generate(
    params: GenerateParams,
    signal: AbortSignal,
  ): AsyncGenerator<TokenDelta, GenerationSummary> {
    const release = await this.enter()
    try {
      return yield* this.answer(params, signal)
    } finally {
      release()
    }
  }

  async preview(scene: Scene): Promise<PromptPreview> {
    const stage = await this.current()
    const { text, ids, firstTurn } = await this.prompt(
      stage,
      scene,
      stage.backbone.context * (1 - ANSWER_SHARE),
    )
    return { text, tokens: ids.length, firstTurn, context: stage.backbone.context }
  }

  /** Lets roles of a pack speak once, to see that they can. */
  async *prove(
    params: ProofParams,
    signal: AbortSignal,
  ): AsyncGenerator<EngineRequests['prove']['yields'], PackProof> {
    const release = await this.enter()
    try {
      return yield* provePack(await this.current(), params, signal)
    } finally {
      release()
    }
  }

  /** Reads a data set; measured in tokens where a backbone is loaded. */
  async dataset(params: DatasetParams): Promise<DatasetReport> {
    return readDatasetReport(params, this.stage?.model ?? null)
  }

  /** What a run would take on the loaded backbone. */
  async estimate(params: PlannedRun, signal: AbortSignal): Promise<TrainEstimate> {
    const release = await this.enter()
    try {
      return await estimateOn(await this.current(), params, signal)
    } finally {
      release()
    }
  }

  /** Trains on the loaded backbone; answers wait until it is done or cancelled. */
  async *train(params: TrainParams, signal: AbortSignal): AsyncGenerator<TrainEvent, TrainResult> {
    const release = await this.enter()
    this.duty = params.duty
    try {
      return yield* trainOn(await this.current(), params, { signal, duty: () => this.duty })
    } finally {
      release()
    }
  }

  /** Changes how busy the run under way may keep the device. */
  tune(duty: number): void {
    this.duty = duty
  }

  /** Waits for the requests before this one; the returned function lets the next one in. */
  private async enter(): Promise<() => void> {
    const before = this.queue
    let release = nothing
    this.queue = new Promise<void>((resolve) => (release = resolve))
    await before
    return release
  }

  private install(stage: Stage): void {
    this.stage = stage
    void stage.device?.lost.then(() => {
      if (this.stage === stage) this.recover()
    })
  }

  /**
   * Rebuilds everything on a new device after the first loss; after a second one soon after on the processor, unless
   * WebGPU was asked for. What another load has overtaken meanwhile is given up.
   */
  private recover(): void {
    const { params } = this
    const now = performance.now()
    const isRepeated = now - this.lastLossMs < LOSS_WINDOW_MS
    this.lastLossMs = now
    this.stage = null
    if (!params) return
    this.onDevice('recovering', null)
    const recovery: Promise<Stage> = this.setStageAgain(params, isRepeated).then(
      (stage) => {
        if (this.recovery !== recovery) {
          closePath(stage)
          return this.current()
        }
        this.recovery = null
        this.install(stage)
        this.onDevice('ready', stage.info)
        return stage
      },
      (error: unknown) => {
        if (this.recovery !== recovery) return this.current()
        this.onDevice('needs-reload', null)
        throw new HycoraError('device-lost', asHycoraError(error, 'device-lost').message)
      },
    )
    // Whoever needs the stage awaits the recovery and sees why it failed.
    recovery.catch(() => undefined)
    this.recovery = recovery
  }

  private async setStageAgain(params: LoadParams, isRepeated: boolean): Promise<Stage> {
    const isForGood = isRepeated && params.path !== 'webgpu'
    check(
      !isRepeated || isForGood,
      'device-lost',
      () => 'the graphics device was lost twice within two minutes',
    )
    const path = isForGood ? 'wasm' : params.path
    return setStage(this.gpu, { ...params, path }, nothing, { isLost: true })
  }

  /** The stage, once a recovery under way is through. */
  private async current(): Promise<Stage> {
    const stage = this.stage ?? (await this.recovery)
    if (!stage) throw new HycoraError('usage', 'no backbone is loaded')
    return stage
  }

  private async prompt(stage: Stage, scene: Scene, room: number): Promise<Prompt> {
    const { template, tokenizer } = stage.model
    if (!template || !tokenizer)
      throw new HycoraError('format-invalid', `${stage.info.name} cannot read text`)
    const line = await systemOf(stage, scene)
    // A card's text may be longer than the whole context: its end makes room for the chat.
    const system = line && cutText(tokenizer, line, Math.floor(room * SYSTEM_SHARE))
    const input = { system, turns: scene.turns, continueLast: scene.continueLast }
    return buildPrompt(template, tokenizer, input, Math.floor(room))
  }

  /** The prompt of an answer: a long chat leaves it a share of the context. */
  private readable(stage: Stage, { scene, maxTokens }: GenerateParams): Promise<Prompt> {
    const { context } = stage.backbone
    return this.prompt(stage, scene, Math.max(context - maxTokens, context * (1 - ANSWER_SHARE)))
  }

  private async *answer(
    params: GenerateParams,
    signal: AbortSignal,
  ): AsyncGenerator<TokenDelta, GenerationSummary> {
    const startMs = performance.now()
    const { scene, sampling, maxTokens } = params
    let stage = await this.current()
    let prompt = await this.readable(stage, params)
    const stream = stage.model.tokenizer?.stream()
    const answered: number[] = []
    let text = ''
    let firstMs = 0
    let stop: GenerationSummary['stop'] = 'cancelled'
    let kept: number | null = null
    while (!signal.aborted) {
      try {
        const tokens = stage.backbone.generate({
          ids: [...prompt.ids, ...answered],
          casting: await castScene(stage, scene),
          sampling,
          maxTokens: maxTokens - answered.length,
          stopIds: stage.model.stopIds,
          signal,
        })
        for (;;) {
          const { done, value } = await tokens.next()
          if (done) {
            stop = value
            break
          }
          if (answered.length === 0) firstMs = performance.now()
          answered.push(value)
          const piece = stream?.push(value) ?? ''
          text += piece
          yield { text: piece, tokens: answered.length }
          kept = findLoop(answered)
          if (kept === null) continue
          stop = 'loop'
          await tokens.return('cancelled')
          break
        }
        break
      } catch (error) {
        const mayBeLost = asHycoraError(error, 'device-lost').code === 'device-lost'
        if (!mayBeLost || !stage.device || !(await isLost(stage.device))) throw error
        // The answer goes on where it was: the sampler's randomness hangs on the position alone.
        stage = await this.current()
        prompt = await this.readable(stage, params)
      }
    }
    if (kept === null) text += stream?.end() ?? ''
    else text = stage.model.tokenizer?.decode(answered.slice(0, kept)) ?? ''
    const decodeMs = performance.now() - firstMs
    return {
      text,
      promptTokens: prompt.ids.length,
      tokens: answered.length,
      firstTurn: prompt.firstTurn,
      stop,
      firstTokenMs: answered.length > 0 ? firstMs - startMs : 0,
      tokensPerSecond: answered.length > 1 ? ((answered.length - 1) * 1000) / decodeMs : 0,
    }
  }
}
