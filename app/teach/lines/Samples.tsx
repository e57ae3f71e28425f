import { useState } from 'react'

import type { DatasetReport } from '../../../src/engine/protocol.ts'
import { Button } from '../../shared/Button.tsx'
import styles from './Samples.module.css'
import { teachText } from '../../words/teach.ts'
import { Rich } from '../../shared/Rich.tsx'
import { list } from '../../shared/format.ts'

type Sample = DatasetReport['samples'][number]

/** How many characters are shown before the rest is asked for. */
const CHARACTERS = 4

/** A handful of each character's dialogues as they will be learnt: what is learnt is marked, all else stands there for it. */
export function Samples({ samples }: { readonly samples: readonly Sample[] }) {
  const [limit, setLimit] = useState(CHARACTERS)
  const names = [...new Set(samples.map(({ role }) => role))]
  return (
    <section className={styles.samples} aria-label={teachText('samples')}>
      <p className={styles.legend}>
        <Rich text={teachText('samples.about')} tags={{ mark: <mark className={styles.learnt} /> }} />
      </p>
      {names.slice(0, limit).map((name) => (
        <div key={name} className={styles.character}>
          <h3 className={styles.name}>{name}</h3>
          <ul className={styles.list}>
            {samples
              .filter(({ role }) => role === name)
              .map((sample, index) => (
                <li key={`${sample.line} ${index}`}>
                  <OneSample sample={sample} />
                </li>
              ))}
          </ul>
        </div>
      ))}
      {names.length > limit && (
        <Button
          label={teachText('more', { count: names.length - limit })}
          onClick={() => setLimit(limit + 4 * CHARACTERS)}
        />
      )}
    </section>
  )
}

function OneSample({ sample }: { readonly sample: Sample }) {
  return (
    <figure className={styles.sample}>
      <figcaption className={styles.about}>{aboutOf(sample)}</figcaption>
      <p className={styles.text} dir="auto">
        {partsOf(sample).map(({ key, text, isLearnt, isControl }) => {
          const shown = isControl ? <span className={styles.control}>{text}</span> : text
          return isLearnt ? (
            <mark key={key} className={styles.learnt}>
              {shown}
            </mark>
          ) : (
            <span key={key}>{shown}</span>
          )
        })}
      </p>
    </figure>
  )
}

/** The stretches of a sample with where they begin, and without white space at its end. */
function partsOf({ parts }: Sample): readonly (Sample['parts'][number] & { readonly key: number })[] {
  let at = 0
  return parts.map((part, index) => {
    const key = at
    at += part.text.length
    return { ...part, text: index === parts.length - 1 ? part.text.trimEnd() : part.text, key }
  })
}

function aboutOf({ file, line, split, tokens, cut }: Sample): string {
  const facts = [
    ...(file === undefined ? [] : [file]),
    ...(line === undefined
      ? []
      : [file === undefined ? teachText('rejected.line', { line }) : teachText('sample.line', { line })]),
    ...(split === 'train' ? [] : [teachText('heldOut')]),
    ...(tokens === null ? [] : [teachText('sample.tokens', { tokens })]),
    ...(cut.turns > 0 ? [teachText('sample.turns', { turns: cut.turns })] : []),
    ...(cut.tokens > 0 ? [teachText('sample.cut', { tokens: cut.tokens })] : []),
  ]
  return list(facts)
}
