import type { Failure } from '../../src/core/errors.ts'
import type { Path } from '../../src/core/path.ts'
import type { Computing } from '../../src/play/path.ts'
import type { BackboneInfo, DeviceReport } from '../../src/engine/protocol.ts'
import { storageUse } from '../../src/storage/persistence.ts'
import { bytes } from './format.ts'

const pathNames: Readonly<Record<Path, string>> = { webgpu: 'webgpu', wasm: 'processor' }

/** The limits that decide what fits. */
const telling = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
]

interface Circumstances {
  readonly report: DeviceReport | null
  readonly info: BackboneInfo | null
  readonly failure: Failure | null
}

/** Everything that helps to explain a failure, as text to send; nothing that was said. */
export async function describeCircumstances({ report, info, failure }: Circumstances): Promise<string> {
  const storage = await storageUse().catch(() => undefined)
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['page', location.origin + location.pathname],
    ['browser', navigator.userAgent],
    ['secure context', String(window.isSecureContext)],
    ['cross-origin isolated', String(window.crossOriginIsolated)],
    ['processor threads', String(navigator.hardwareConcurrency)],
    ['webgpu', report?.status ?? 'not asked yet'],
    ['computed by', info && describeComputing(info.computing)],
    [
      'graphics card',
      report && [report.vendor, report.architecture, report.description].filter(Boolean).join(' · '),
    ],
    ['reason given', report?.reason],
    ['features', report?.features.join(' ')],
    ['limits', report && telling.map((name) => `${name}=${report.limits[name] ?? '?'}`).join(' ')],
    [
      'model',
      info && `${info.name} (${info.architecture}, ${info.weightFormat}, ${info.fingerprint.slice(0, 12)})`,
    ],
    [
      'graphics memory',
      info?.computing.path === 'webgpu'
        ? Object.entries(info.gpuBytes)
            .map(([use, size]) => `${use} ${bytes(size)}`)
            .join(', ')
        : undefined,
    ],
    ['warnings', info?.warnings.join(' ')],
    [
      'storage',
      storage &&
        `${bytes(storage.usedBytes)} used, ${storage.kept ? 'kept' : 'may be cleared by the browser'}`,
    ],
    ['error', failure && `${failure.code}: ${failure.message}`],
  ].map(([name, value]) => [name ?? '', value || undefined])
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}

/** "processor (no-adapter: …), webgpu 12 / 3.1 tokens/s, processor 300 / 48 tokens/s": read and said, as measured. */
function describeComputing({ path, why, reason, rates }: Computing): string {
  const measured = (['webgpu', 'wasm'] as const).flatMap((one) => {
    const rate = rates[one]
    return rate ? [`${pathNames[one]} ${rate.prefill.toFixed(1)} / ${rate.decode.toFixed(1)} tokens/s`] : []
  })
  return [`${pathNames[path]} (${[why, reason].filter(Boolean).join(': ')})`, ...measured].join(', ')
}
