import type { BackboneInfo, DeviceReport } from '../../src/engine/protocol.ts'
import { storageUse } from '../../src/storage/persistence.ts'
import type { Failure } from '../stores/engine.ts'
import { bytes } from './format.ts'

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
  readonly obstacle: string | null
}

/** Everything that helps to explain a failure, as text to send; nothing that was said. */
export async function describeCircumstances({
  report,
  info,
  failure,
  obstacle,
}: Circumstances): Promise<string> {
  const storage = await storageUse().catch(() => undefined)
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['page', location.origin + location.pathname],
    ['browser', navigator.userAgent],
    ['secure context', String(window.isSecureContext)],
    ['cross-origin isolated', String(window.crossOriginIsolated)],
    ['processor threads', String(navigator.hardwareConcurrency)],
    ['webgpu', obstacle ?? report?.status ?? 'not asked yet'],
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
      info &&
        Object.entries(info.gpuBytes)
          .map(([use, size]) => `${use} ${bytes(size)}`)
          .join(', '),
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
