import { useMemo, useState } from 'react'

import { drawn } from '../cast/castMember.ts'
import type { CastMember } from '../cast/castMember.ts'
import { Portrait } from '../cast/Portrait.tsx'
import { Button } from '../shared/Button.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { SideScreen } from '../shared/SideScreen.tsx'
import {
  addShare,
  clearBlend,
  dismissBlendFailure,
  keepBlend,
  mixable,
  mixedVector,
  removeShare,
  setShare,
  useBlend,
} from '../stores/blend.ts'
import type { Share } from '../stores/blend.ts'
import { findMember, useCast } from '../stores/cast.ts'
import { useEngine } from '../stores/engine.ts'
import { isTraining, useTraining } from '../stores/training.ts'
import styles from './BlendScreen.module.css'
import { Hearing } from './Hearing.tsx'
import { ShareRow } from './ShareRow.tsx'

/** Somebody between others: as much of each as is wanted, heard at once, and kept if they are good. */
export function BlendScreen() {
  const { shares, failure, isKeeping } = useBlend()
  const members = useCast((state) => state.members)
  const info = useEngine((state) => state.info)
  const isReady = useEngine((state) => state.phase === 'ready')
  const isRehearsing = useTraining(isTraining)
  const [written, setWritten] = useState<string | null>(null)
  const face = useMemo(() => drawn({ vector: mixedVector(shares) }), [shares])
  const others = mixable(members, shares, info).filter(
    ({ name }) => !shares.some((share) => share.name === name),
  )
  const name = written ?? suggestedName(shares, members)
  const canPlay = isReady && !isRehearsing && shares.some(({ percent }) => percent !== 0)
  return (
    <SideScreen
      title="Somebody between"
      about="A character here is a set of numbers, so characters can be mixed: a little of one, much of another, or the very opposite of a third. The face is mixed as the voice is."
      accent={face.accent}
    >
      {isRehearsing && (
        <p className={styles.quiet}>A rehearsal has the stage: blends wait until it pauses.</p>
      )}
      {failure && (
        <ErrorNotice failure={failure} onRetry={dismissBlendFailure} onDismiss={dismissBlendFailure} />
      )}
      <div className={styles.desk}>
        <section className={styles.mix} aria-label="Who is in it">
          <div className={styles.face}>
            <Portrait
              member={shares.length > 0 ? { displayName: name, portrait: face.portrait ?? null } : undefined}
              size="large"
            />
          </div>
          <ul className={styles.shares}>
            {shares.map((share) => (
              <ShareRow
                key={share.name}
                member={findMember(members, share.name)}
                percent={share.percent}
                onChange={(percent) => setShare(share.name, percent)}
                onRemove={() => removeShare(share.name)}
              />
            ))}
          </ul>
          {isReady && others.length > 0 && (
            <select
              className={styles.add}
              aria-label={shares.length === 0 ? 'Begin with' : 'Add somebody'}
              value=""
              onChange={(event) => addShare(event.target.value)}
            >
              <option value="" disabled>
                {shares.length === 0 ? 'Begin with…' : 'Add somebody…'}
              </option>
              {others.map((member) => (
                <option key={member.name} value={member.name}>
                  {member.displayName}
                </option>
              ))}
            </select>
          )}
          {isReady && shares.length === 0 && others.length === 0 && (
            <p className={styles.quiet}>
              Nobody here can be mixed: on this model the characters play by their text. Teach somebody, or
              bring in a pack.
            </p>
          )}
          {shares.length > 0 && (
            <p className={styles.quiet}>
              Only characters of one pack can be mixed: they share the half of their weights that is not
              theirs alone.
            </p>
          )}
        </section>
        <Hearing name={name} canPlay={canPlay && !isKeeping} />
      </div>
      {shares.length > 0 && (
        <form
          className={styles.keep}
          onSubmit={(event) => {
            event.preventDefault()
            void keepBlend(name)
          }}
        >
          <label className={styles.called}>
            <span>They are called</span>
            <input
              className={styles.name}
              value={name}
              maxLength={80}
              autoComplete="off"
              onChange={(event) => setWritten(event.target.value)}
            />
          </label>
          <Button
            type="submit"
            label={isKeeping ? 'Keeping…' : 'Keep them and talk'}
            look="strong"
            disabled={!canPlay || isKeeping || name.trim() === ''}
          />
          <Button label="Begin anew" look="quiet" onClick={clearBlend} />
        </form>
      )}
    </SideScreen>
  )
}

function suggestedName(shares: readonly Share[], members: readonly CastMember[]): string {
  const [first = '', second, ...others] = shares
    .filter(({ percent }) => percent > 0)
    .map(({ name }) => findMember(members, name)?.displayName ?? name)
  if (second === undefined) return first === '' ? '' : `Another ${first}`
  return others.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${others.length} more`
}
