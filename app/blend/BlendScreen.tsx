import { useMemo, useState } from 'react'

import { faceOf } from '../../src/cast/face.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { Portrait } from '../shared/Portrait.tsx'
import { Button } from '../shared/Button.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { SideScreen } from '../shared/SideScreen.tsx'
import {
  addPart,
  clearBlend,
  dismissBlendFailure,
  keepBlend,
  mixable,
  mixedVector,
  nameOfMix,
  removePart,
  changePart,
  useBlend,
} from '../stores/chat/blend.ts'
import { findMember, useCast } from '../stores/company/cast.ts'
import { routeHash } from '../stores/page/route.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import styles from './BlendScreen.module.css'
import { Hearing } from './Hearing.tsx'
import { PartRow } from './PartRow.tsx'
import asides from '../shared/Asides.module.css'
import { blendText } from '../words/blend.ts'
import { sharedText } from '../words/shared.ts'

/** Somebody between others: as much of each as is wanted, heard at once, and kept if they are good. */
export function BlendScreen() {
  const { parts, failure, isKeeping } = useBlend()
  const members = useCast((state) => state.members)
  const info = useEngine((state) => state.info)
  const isReady = useEngine((state) => state.phase === 'ready')
  const isRehearsing = useTraining(isTraining)
  const [written, setWritten] = useState<string | null>(null)
  const face = useMemo(() => faceOf(mixedVector(parts)), [parts])
  const others = mixable(members, parts, info).filter(({ key }) => !parts.some((part) => part.key === key))
  const name = written ?? nameOfMix(parts, members)
  const canPlay = isReady && !isRehearsing && parts.some(({ percent }) => percent !== 0)
  return (
    <SideScreen title={sharedText('screen.blend')} about={blendText('about')} accent={face?.accent}>
      {isRehearsing && <p className={asides.note}>{blendText('wait')}</p>}
      {failure && (
        <ErrorNotice failure={failure} onRetry={dismissBlendFailure} onDismiss={dismissBlendFailure} />
      )}
      <div className={styles.desk}>
        <section className={styles.mix} aria-label={blendText('parts')}>
          <div className={styles.face}>
            <Portrait
              member={parts.length > 0 ? { displayName: name, portrait: face?.portrait ?? null } : undefined}
              size="large"
            />
          </div>
          <ul className={styles.parts}>
            {parts.map((part) => (
              <PartRow
                key={part.key}
                member={findMember(members, part.key)}
                percent={part.percent}
                onChange={(percent) => changePart(part.key, percent)}
                onRemove={() => removePart(part.key)}
              />
            ))}
          </ul>
          {isReady && <Additions others={others} isEmpty={parts.length === 0} />}
          {others.length > 1 && (
            <a className={styles.link} href={routeHash({ screen: 'map' })}>
              {blendText('map')}
            </a>
          )}
          {parts.length > 0 && <p className={asides.note}>{blendText('oneCompany')}</p>}
        </section>
        <Hearing name={name} canPlay={canPlay && !isKeeping} />
      </div>
      {parts.length > 0 && <Keeping name={name} canPlay={canPlay} onName={setWritten} />}
    </SideScreen>
  )
}

interface AdditionsProps {
  readonly others: readonly CastMember[]
  readonly isEmpty: boolean
}

/** Who may come into the mix, or why nobody can. */
function Additions({ others, isEmpty }: AdditionsProps) {
  return (
    <>
      {others.length > 0 && (
        <select
          aria-label={isEmpty ? blendText('begin') : blendText('add')}
          value=""
          onChange={(event) => addPart(event.target.value)}
        >
          <option value="" disabled>
            {isEmpty ? blendText('begin.choose') : blendText('add.choose')}
          </option>
          {others.map((member) => (
            <option key={member.key} value={member.key}>
              {member.displayName}
            </option>
          ))}
        </select>
      )}
      {isEmpty && others.length === 0 && <p className={asides.note}>{blendText('nobody')}</p>}
    </>
  )
}

interface KeepingProps {
  readonly name: string
  readonly canPlay: boolean
  readonly onName: (name: string) => void
}

function Keeping({ name, canPlay, onName }: KeepingProps) {
  const isKeeping = useBlend((state) => state.isKeeping)
  return (
    <form
      className={styles.keep}
      onSubmit={(event) => {
        event.preventDefault()
        void keepBlend(name)
      }}
    >
      <label className={styles.called}>
        <span>{blendText('called')}</span>
        <input
          className={styles.name}
          value={name}
          maxLength={80}
          autoComplete="off"
          onChange={(event) => onName(event.target.value)}
        />
      </label>
      <Button
        type="submit"
        label={isKeeping ? blendText('keeping') : blendText('keep')}
        look="strong"
        disabled={!canPlay || isKeeping || name.trim() === ''}
      />
      <Button label={blendText('clear')} look="quiet" onClick={clearBlend} />
    </form>
  )
}
