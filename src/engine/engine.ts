import type { LoadProgress } from '../play/path.ts'
import type { Scene } from '../play/scene.ts'
import { HycoraError, asHycoraError, check } from '../core/errors.ts'
import type { RoleMap } from '../core/training.ts'
import { pump } from '../core/pump.ts'
import type { DeviceListener } from './client.ts'
import { answerScene, previewScene } from './answer.ts'
import { answerTogether } from './answerTogether.ts'
import { backboneInfo } from './backboneInfo.ts'
import type { OrtRuntime } from '../fallback/ortRuntime.ts'
import { forgetFaults } from '../gpu/deviceFaults.ts'
import { reportDevice } from './deviceReport.ts'
import { estimateOn } from './estimate.ts'
import { closePath } from '../play/openPath.ts'
import type {
  BackboneInfo,
  DatasetParams,
  DatasetReport,
  DeviceReport,
  EngineRequests,
  GenerateParams,
  GenerationSummary,
  LoadParams,
  PlannedRun,
  PackProof,
  ProofParams,
  PromptPreview,
  TokenDelta,
  TrainEstimate,
  TrainEvent,
  TrainParams,
  TrainResult,
} from './protocol.ts'
import { provePack } from './provePack.ts'
import { readDatasetReport } from './readDatasetReport.ts'
import { setStage } from '../play/stage.ts'
import type { Stage } from '../play/stage.ts'
import { trainOn } from './trainer.ts'
import { mapRoles } from '../train/run/roleMap.ts'
import { alternativesIn, weighScenes } from './weighScenes.ts'

/** A second loss of the device within this time is not recovered: the browser refuses new adapters for as long. */
const LOSS_WINDOW_MS = 120_000

function nothing(): void {}

async function loadOrt(): Promise<OrtRuntime> {
  return (await import('../fallback/pageRuntime.ts')).loadPageRuntime()
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

  async room(wanted: number): Promise<number | null> {
    // Few visits bring a model of their own.
    const { tryGraphicsRoom } = await import('../gpu/trialRoom.ts')
    return tryGraphicsRoom(this.gpu, wanted)
  }

  /** What the kernels and onnxruntime make of one prompt. */
  async compare(signal: AbortSignal): Promise<EngineRequests['compare']['returns']> {
    const release = await this.enter()
    try {
      const stage = await this.current()
      const { params } = this
      check(params, 'usage', () => 'no backbone is loaded')
      // Few visits ask for it.
      const { compareStage } = await import('./compareStage.ts')
      return await compareStage(stage, params, await loadOrt(), signal)
    } finally {
      release()
    }
  }

  /** Loads a backbone and a pack; what was loaded before stays until the new one is ready to be checked onto the GPU. */
  async *load(params: LoadParams): AsyncGenerator<LoadProgress, BackboneInfo> {
    const release = await this.enter()
    try {
      const stage = yield* pump<LoadProgress, Stage>((emit) => this.open(params, emit))
      if (this.stage) closePath(this.stage)
      this.recovery = null
      // What was measured now is not measured again when the device is lost.
      const isSound = stage.computing.path === 'webgpu' || params.isSound === true
      this.params = { ...params, rates: stage.computing.rates, isSound }
      this.install(stage)
      this.onDevice('ready', null)
      return backboneInfo(stage)
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
      return yield* answerScene(() => this.current(), params, signal)
    } finally {
      release()
    }
  }

  async preview(scene: Scene): Promise<PromptPreview> {
    return previewScene(await this.current(), scene)
  }

  /** Answers several scenes at once. */
  async *together(
    params: EngineRequests['together']['params'],
    signal: AbortSignal,
  ): AsyncGenerator<EngineRequests['together']['yields'], EngineRequests['together']['returns']> {
    const release = await this.enter()
    try {
      return yield* answerTogether(await this.current(), params, signal)
    } finally {
      release()
    }
  }

  /** Weighs the same words in several scenes. */
  async *weigh(
    params: EngineRequests['weigh']['params'],
    signal: AbortSignal,
  ): AsyncGenerator<EngineRequests['weigh']['yields'], null> {
    const release = await this.enter()
    try {
      return yield* weighScenes(await this.current(), params, signal)
    } finally {
      release()
    }
  }

  /** What would rather have been said in a place of a text. */
  async alternatives(
    params: EngineRequests['alternatives']['params'],
  ): Promise<EngineRequests['alternatives']['returns']> {
    const release = await this.enter()
    try {
      return await alternativesIn(await this.current(), params)
    } finally {
      release()
    }
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

  /** How near the roles of a pack are. @throws HycoraError `usage` where there is no pack, and what opening one throws. */
  async map({ pack: ref }: EngineRequests['map']['params']): Promise<RoleMap> {
    const release = await this.enter()
    try {
      const pack = await (await this.current()).shelf.open(ref)
      check(pack, 'usage', () => 'no pack came with this model, so that nobody is on its map')
      return mapRoles(pack)
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
    return () => {
      // Whoever was at work has heard of what the device complained of.
      if (this.stage?.device) forgetFaults(this.stage.device)
      release()
    }
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
        this.onDevice('ready', backboneInfo(stage))
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
    return this.open({ ...params, path }, nothing, true)
  }

  private open(
    { path: choice, rates, isSound = false, ...files }: LoadParams,
    emit: (progress: LoadProgress) => void,
    isLost = false,
  ): Promise<Stage> {
    return setStage(files, { gpu: this.gpu, choice, rates, isSound, isLost, emit, loadOrt })
  }

  /** The stage, once a recovery under way is through. */
  private async current(): Promise<Stage> {
    const stage = this.stage ?? (await this.recovery)
    if (!stage) throw new HycoraError('usage', 'no backbone is loaded')
    return stage
  }
}
