import { lazy, Suspense } from 'react'

import type { Computing } from '../../src/play/path.ts'
import type { DeviceReport } from '../../src/engine/protocol.ts'
import { Button } from '../shared/Button.tsx'
import { otherCard, slowAdvice, tokensPerSecond } from '../shared/deviceAdvice.ts'
import { choosePath, measureAgain, useEngine } from '../stores/engine/engine.ts'
import { useSettings } from '../stores/page/settings.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { Choices } from './Choices.tsx'
import { Section } from './Section.tsx'
import asides from '../shared/Asides.module.css'
import { backstageText } from '../words/backstage.ts'
import { list } from '../shared/format.ts'

/** Few visits ask for it. */
const Comparing = lazy(() => import('./Comparing.tsx'))

const paths = ['auto', 'webgpu', 'wasm'] as const

/** What computes: the graphics card through WebGPU, or the processor. */
export function PathSection() {
  const path = useSettings((state) => state.path)
  const info = useEngine((state) => state.info)
  const report = useEngine((state) => state.report)
  const isLoading = useEngine((state) => state.phase === 'starting' || state.phase === 'loading')
  const isRehearsing = useTraining(isTraining)
  const hasRates = info !== null && Object.keys(info.computing.rates).length > 0
  return (
    <Section title={backstageText('path')}>
      <Choices
        label={backstageText('path')}
        choices={paths.map((value) => ({ value, name: backstageText(`path.${value}`) }))}
        value={path}
        isDisabled={isRehearsing}
        onChange={(value) => void choosePath(value)}
      />
      {info && <p className={asides.note}>{describe(info.computing, report)}</p>}
      {info?.computing.path === 'webgpu' && report?.status === 'ready' && (
        <p className={asides.note}>{otherCard(navigator.userAgent)}</p>
      )}
      {info && <p className={asides.note}>{slowAdvice(info, report?.status === 'software')?.what}</p>}
      {info?.computing.path === 'webgpu' && (
        <Suspense>
          <Comparing isDisabled={isLoading || isRehearsing} />
        </Suspense>
      )}
      {hasRates && (
        <Button
          label={backstageText('path.again')}
          disabled={isLoading || isRehearsing}
          onClick={() => void measureAgain()}
        />
      )}
    </Section>
  )
}

/** "Now: the graphics card (nvidia ampere)." "Now: the processor. Tokens a second with this model: 48 on the processor, 9.1 with WebGPU." */
function describe({ path, rates }: Computing, report: DeviceReport | null): string {
  const now = path === 'webgpu' ? cardOf(report) : backstageText('path.processor')
  const measured = [
    ...(rates.wasm ? [backstageText('path.onProcessor', { rate: tokensPerSecond(rates.wasm.decode) })] : []),
    ...(rates.webgpu
      ? [backstageText('path.withWebgpu', { rate: tokensPerSecond(rates.webgpu.decode) })]
      : []),
  ]
  return measured.length > 0 ? backstageText('path.rates', { now, measured: list(measured) }) : now
}

/** "Now: the graphics card (nvidia ampere).", as far as the browser names it. */
function cardOf(report: DeviceReport | null): string {
  if (report?.status === 'software') return backstageText('path.software')
  const name = report?.description || [report?.vendor, report?.architecture].filter(Boolean).join(' ')
  return name ? backstageText('path.card.named', { name }) : backstageText('path.card')
}
