import { useState } from 'react'

import { isForAnotherModel } from '../../src/cast/member.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { GROUP_SIZE } from '../../src/storage/chatGroup.ts'
import { TurnFields } from '../backstage/TurnFields.tsx'
import type { TurnSettings } from '../backstage/TurnFields.tsx'
import { Button } from '../shared/Button.tsx'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { SideScreen } from '../shared/SideScreen.tsx'
import { beginGroup, groupMember, USUAL_GROUP } from '../stores/chat/group.ts'
import { useCast } from '../stores/company/cast.ts'
import { useEngine } from '../stores/engine/engine.ts'
import styles from './GroupScreen.module.css'
import asides from '../shared/Asides.module.css'
import { groupText } from '../words/group.ts'
import { sharedText } from '../words/shared.ts'
import { listNames } from '../words/names.ts'

/** Brings several together in one chat. */
export function GroupScreen() {
  const members = useCast((state) => state.members)
  const info = useEngine((state) => state.info)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [settings, setSettings] = useState<TurnSettings>(USUAL_GROUP)
  const able = members.filter(({ guest }) => !isForAnotherModel(guest?.backbone, info))
  const company = chosen.filter((key) => able.some((member) => member.key === key))
  const isFull = company.length >= GROUP_SIZE.most
  const choose = (key: string, isChosen: boolean): void => {
    const others = company.filter((one) => one !== key)
    setChosen(isChosen ? [...others, key] : others)
  }
  return (
    <SideScreen title={sharedText('screen.group')} about={groupText('about')}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          void beginGroup(company.map(groupMember), settings)
        }}
      >
        <fieldset className={styles.cast} aria-label={groupText('who')}>
          {able.map((member) => (
            <Choice
              key={member.key}
              member={member}
              place={company.indexOf(member.key)}
              isFull={isFull}
              onChoose={(isChosen) => choose(member.key, isChosen)}
            />
          ))}
        </fieldset>
        <div className={styles.settings}>
          <TurnFields {...settings} onChange={(changes) => setSettings({ ...settings, ...changes })} />
        </div>
        <div className={styles.begin}>
          <Button
            type="submit"
            label={groupText('begin')}
            look="strong"
            disabled={company.length < GROUP_SIZE.least}
          />
          <p className={asides.quiet} role="status">
            {saidOf(company, able)}
          </p>
        </div>
      </form>
    </SideScreen>
  )
}

function saidOf(company: readonly string[], members: readonly CastMember[]): string {
  const names = company.map((key) => members.find((member) => member.key === key)?.displayName ?? '')
  if (names.length === 0) return groupText('chosen.none')
  const [name = ''] = names
  if (names.length === 1) return groupText('chosen.one', { name })
  const all = { names: listNames(names) }
  return names.length === GROUP_SIZE.most ? groupText('chosen.full', all) : groupText('chosen', all)
}

interface ChoiceProps {
  readonly member: CastMember
  /** In the order in which they speak; -1 for whoever is not chosen. */
  readonly place: number
  readonly isFull: boolean
  readonly onChoose: (isChosen: boolean) => void
}

function Choice({ member, place, isFull, onChoose }: ChoiceProps) {
  const isChosen = place >= 0
  return (
    <label className={styles.choice} {...accentProps(member.accent)}>
      <input
        type="checkbox"
        checked={isChosen}
        disabled={isFull && !isChosen}
        onChange={({ target }) => onChoose(target.checked)}
      />
      <span className={styles.picture}>
        <Portrait member={member} size="large" />
        {isChosen && (
          <span className={styles.place} aria-hidden="true">
            {place + 1}
          </span>
        )}
      </span>
      <bdi>{member.displayName}</bdi>
    </label>
  )
}
