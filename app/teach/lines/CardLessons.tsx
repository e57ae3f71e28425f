import { useState } from 'react'

import { Button } from '../../shared/Button.tsx'
import { ErrorNotice } from '../../shared/ErrorNotice.tsx'
import { Fold } from '../../shared/Fold.tsx'
import { useCast } from '../../stores/company/cast.ts'
import { useEngine } from '../../stores/engine/engine.ts'
import {
  askCard,
  clearLessons,
  keptLessons,
  mendLesson,
  playedByCard,
  stopAskingCard,
  strikeLesson,
  takeLessons,
  useCardLessons,
} from '../../stores/teach/cardLessons.ts'
import type { OpenLesson } from '../../stores/teach/cardLessons.ts'
import asides from '../../shared/Asides.module.css'
import { teachText } from '../../words/teach.ts'
import { Field } from '../parts/Field.tsx'
import { goToStep } from '../parts/goToStep.ts'
import styles from './CardLessons.module.css'

/** How many questions can be asked; all that there are, last. */
const COUNTS = [40, 120, 257] as const

/** A character out of a card without lines: what the model answers as it, to be struck and mended, then learnt. */
export function CardLessons() {
  const { phase, total, asked, lessons, failure } = useCardLessons()
  const kept = keptLessons(lessons).length
  return (
    <Fold title={teachText('card')}>
      <p className={asides.note}>{teachText('card.about')}</p>
      {phase === 'idle' && <Asking />}
      {phase === 'asking' && (
        <div className={styles.actions}>
          <p role="status">{teachText('card.asking', { asked, total })}</p>
          <Button label={teachText('card.stop')} onClick={stopAskingCard} />
        </div>
      )}
      {failure && <ErrorNotice failure={failure} />}
      <ul className={styles.lessons}>
        {lessons.map((lesson) => (
          <LessonRow key={lesson.opening.id} lesson={lesson} />
        ))}
      </ul>
      {phase === 'asked' && (
        <div className={styles.actions}>
          <Button
            label={teachText('card.learn', { kept })}
            look="strong"
            disabled={kept === 0}
            onClick={() => void takeLessons().then(() => goToStep(2))}
          />
          <Button label={teachText('card.clear')} look="quiet" onClick={clearLessons} />
        </div>
      )}
    </Fold>
  )
}

/** Whose card is told, and how many questions are asked. */
function Asking() {
  const members = useCast((state) => state.members)
  const info = useEngine((state) => state.info)
  const [chosen, setChosen] = useState('')
  const [count, setCount] = useState<number>(COUNTS[1])
  const played = playedByCard(members, info)
  const member = played.find(({ key }) => key === chosen) ?? played[0]
  if (!member) return <p>{teachText('card.nobody')}</p>
  const { card, displayName: name } = member
  return (
    <>
      <Field label={teachText('card.whose')}>
        {(id) => (
          <select id={id} value={member.key} onChange={(event) => setChosen(event.target.value)}>
            {played.map(({ key, displayName }) => (
              <option key={key} value={key}>
                {displayName}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={teachText('card.count')}>
        {(id) => (
          <select id={id} value={count} onChange={(event) => setCount(Number(event.target.value))}>
            {COUNTS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        )}
      </Field>
      <div className={styles.actions}>
        <Button
          label={teachText('card.ask', { name })}
          disabled={!info || !card}
          onClick={() => card && void askCard(card, count)}
        />
      </div>
    </>
  )
}

function LessonRow({ lesson }: { readonly lesson: OpenLesson }) {
  const { opening, answer, isStruck } = lesson
  const [question = ''] = opening.wordings
  return (
    <li className={styles.lesson}>
      <span className={styles.question}>{question}</span>
      <textarea
        className={[styles.answer, isStruck ? styles.struck : ''].join(' ')}
        rows={2}
        dir="auto"
        aria-label={teachText('card.answer', { question })}
        disabled={isStruck}
        value={answer}
        onChange={(event) => mendLesson(opening.id, event.target.value)}
      />
      <Button
        label={teachText(isStruck ? 'card.back' : 'card.strike')}
        look="quiet"
        onClick={() => strikeLesson(opening.id, !isStruck)}
      />
    </li>
  )
}
