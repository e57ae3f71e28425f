import type { Computing } from '../../src/play/path.ts'
import type { DeviceReport } from '../../src/engine/protocol.ts'
import { Button } from '../shared/Button.tsx'
import { otherCard, slowText, tokensPerSecond } from '../shared/deviceText.ts'
import { choosePath, measureAgain, useEngine } from '../stores/engine/engine.ts'
import { useSettings } from '../stores/page/settings.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { Choices } from './Choices.tsx'
import { Section } from './Section.tsx'
import asides from '../shared/Asides.module.css'

const paths = [
  { value: 'auto', name: 'The faster' },
  { value: 'webgpu', name: 'WebGPU' },
  { value: 'wasm', name: 'Processor' },
] as const

/** What computes: the graphics card through WebGPU, or the processor. */
export function PathSection() {
  const path = useSettings((state) => state.path)
  const info = useEngine((state) => state.info)
  const report = useEngine((state) => state.report)
  const isLoading = useEngine((state) => state.phase === 'starting' || state.phase === 'loading')
  const isRehearsing = useTraining(isTraining)
  const hasRates = info !== null && Object.keys(info.computing.rates).length > 0
  return (
    <Section title="Computed by">
      <Choices
        label="Computed by"
        choices={paths}
        value={path}
        isDisabled={isRehearsing}
        onChange={(value) => void choosePath(value)}
      />
      {info && <p className={asides.note}>{describe(info.computing, report)}</p>}
      {info?.computing.path === 'webgpu' && report?.status === 'ready' && (
        <p className={asides.note}>{otherCard(navigator.userAgent)}</p>
      )}
      {info && <p className={asides.note}>{slowText(info, report?.status === 'software')?.what}</p>}
      {hasRates && (
        <Button
          label="Measure again"
          disabled={isLoading || isRehearsing}
          onClick={() => void measureAgain()}
        />
      )}
    </Section>
  )
}

/** "Now: the graphics card (nvidia ampere)." "Now: the processor. Tokens a second with this model: 48 on the processor, 9.1 with WebGPU." */
function describe({ path, rates }: Computing, report: DeviceReport | null): string {
  const card = report?.status === 'software' ? 'WebGPU, which the processor plays here' : cardOf(report)
  const now = `Now: ${path === 'webgpu' ? card : 'the processor'}.`
  const measured = [
    ...(rates.wasm ? [`${tokensPerSecond(rates.wasm.decode)} on the processor`] : []),
    ...(rates.webgpu ? [`${tokensPerSecond(rates.webgpu.decode)} with WebGPU`] : []),
  ]
  return measured.length > 0 ? `${now} Tokens a second with this model: ${measured.join(', ')}.` : now
}

/** "the graphics card (nvidia ampere)", as far as the browser names it. */
function cardOf(report: DeviceReport | null): string {
  const name = report?.description || [report?.vendor, report?.architecture].filter(Boolean).join(' ')
  return name ? `the graphics card (${name})` : 'the graphics card'
}
