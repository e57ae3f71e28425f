import { timesText } from '../../src/core/lift.ts'
import type { Accent } from '../../src/cast/face.ts'
import type { Candidate } from '../../src/play/weigh.ts'
import { accentProps } from '../shared/Portrait.tsx'
import { askPlace, useWhose } from '../stores/chat/whose.ts'
import type { Place, Weighed } from '../stores/chat/whose.ts'
import asides from '../shared/Asides.module.css'
import styles from './WhoseWords.module.css'
import { chatText } from '../words/chat.ts'

interface WeighedWordsProps {
  readonly own: Weighed
  readonly bare: Weighed
  readonly name: string
  readonly accent: Accent | undefined
}

/** A word that somebody makes so many times as likely has the deepest tint. */
const DEEPEST = 20

/** The words one by one: how much likelier somebody makes each, and what else might have stood there. */
export function WeighedWords({ own, bare, name, accent }: WeighedWordsProps) {
  const place = useWhose((state) => state.place)
  const isComparable = own.pieces.length === bare.pieces.length
  if (!isComparable) return null
  return (
    <section className={styles.spoken} aria-label={chatText('weighed', { name })} {...accentProps(accent)}>
      <p className={styles.line}>
        {own.pieces.map(({ text, logProbability }, index) => {
          const times = Math.exp(logProbability - (bare.pieces[index]?.logProbability ?? 0))
          return (
            <button
              key={index}
              type="button"
              className={styles.piece}
              data-less={times < 1 || undefined}
              {...depthOf(times)}
              aria-label={chatText('weighed.piece', {
                piece: text.trim() || chatText('weighed.space'),
                times: timesText(times),
              })}
              aria-pressed={place?.piece === index}
              title={timesText(times)}
              onClick={() => void askPlace(index)}
            >
              {text}
            </button>
          )
        })}
      </p>
      {place ? (
        <Places place={place} name={name} />
      ) : (
        <p className={asides.note}>{chatText('weighed.about', { name })}</p>
      )}
    </section>
  )
}

/** How deep a word is tinted: by the logarithm of how many times as likely it is, or as unlikely. */
function depthOf(times: number): { readonly style: Readonly<Record<`--${string}`, string>> } {
  const share = Math.min(1, Math.abs(Math.log(times)) / Math.log(DEEPEST))
  return { style: { '--depth': `${Math.round(45 * share)}%` } }
}

function Places({ place, name }: { readonly place: Place; readonly name: string }) {
  return (
    <div className={styles.places} role="status">
      <Likeliest title={name} candidates={place.byThem} />
      <Likeliest title={chatText('weighed.nobody')} candidates={place.byNobody} />
    </div>
  )
}

function Likeliest({
  title,
  candidates,
}: {
  readonly title: string
  readonly candidates: readonly Candidate[]
}) {
  return (
    <div>
      <h3 className={styles.heading}>{title}</h3>
      <ol>
        {candidates.map(({ text, probability }, index) => (
          <li key={index} className={styles.candidate}>
            <span className={styles.token}>{text.trim() || '␣'}</span>
            <span className={styles.times}>{percent(probability)}</span>
          </li>
        ))}
      </ol>
    </div>
  )
}

function percent(probability: number): string {
  return probability < 0.01 ? '< 1 %' : `${Math.round(100 * probability)} %`
}
