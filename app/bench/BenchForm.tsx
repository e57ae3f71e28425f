import { useState } from 'react'

import type { CardModelName } from '../../src/core/cardResult.ts'
import { Button } from '../shared/Button.tsx'
import { measureCardHere, stopBench, useBench } from '../stores/engine/bench.ts'
import type { BenchChoice } from '../stores/engine/bench.ts'
import { benchText } from '../words/bench.ts'
import styles from './BenchScreen.module.css'

/** The models that can be chosen, with what they are called. */
function modelChoices(): readonly (readonly [CardModelName, string])[] {
  return [
    ['smollm2', benchText('model.smollm2')],
    ['0.5b', benchText('model.half')],
    ['1b', benchText('model.one')],
    ['1.5b', benchText('model.more')],
    ['tiny', benchText('model.tiny')],
  ]
}

function extentChoices(): readonly (readonly [BenchChoice['extent'], string])[] {
  return [
    ['chat', benchText('extent.chat')],
    ['all', benchText('extent.all')],
    ['kernels', benchText('extent.kernels')],
  ]
}

/** What is measured, with how much, and the button that begins. */
export function BenchForm() {
  const { phase, progress } = useBench()
  const [chosen, setChosen] = useState<readonly CardModelName[]>(['tiny'])
  const [extent, setExtent] = useState<BenchChoice['extent']>('chat')
  const isMeasuring = phase === 'measuring'
  const toggle = (model: CardModelName): void => {
    setChosen(chosen.includes(model) ? chosen.filter((one) => one !== model) : [...chosen, model])
  }
  return (
    <section className={styles.form} aria-label={benchText('what')}>
      <fieldset className={styles.choices} disabled={isMeasuring}>
        <legend>{benchText('models')}</legend>
        {modelChoices().map(([value, name]) => (
          <label key={value}>
            <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      <fieldset className={styles.choices} disabled={isMeasuring}>
        <legend>{benchText('extent')}</legend>
        {extentChoices().map(([value, name]) => (
          <label key={value}>
            <input type="radio" name="extent" checked={extent === value} onChange={() => setExtent(value)} />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      <p className={styles.note}>{benchText('note')}</p>
      <div className={styles.buttons}>
        {isMeasuring ? (
          <Button label={benchText('stop')} onClick={stopBench} />
        ) : (
          <Button
            label={benchText('measure')}
            look="strong"
            disabled={chosen.length === 0}
            onClick={() => void measureCardHere({ models: chosen, extent })}
          />
        )}
        <span role="status">
          {isMeasuring &&
            (progress
              ? benchText('measuring', { model: progress.model, part: progress.case })
              : benchText('beginning'))}
        </span>
      </div>
    </section>
  )
}
