import type { PackArrival } from '../../src/exchange/arrival.ts'
import type { RoleFacts } from '../../src/formats/packFacts.ts'
import { useMemo } from 'react'

import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { arrivingMember, isForAnotherModel } from '../../src/cast/member.ts'
import { Button } from '../shared/Button.tsx'
import { Fold } from '../shared/Fold.tsx'
import { bytes, count } from '../shared/format.ts'
import { Notice } from '../shared/Notice.tsx'
import { OtherModel } from '../shared/OtherModel.tsx'
import { chooseRole, chooseRoles } from '../stores/exchange/arrivals.ts'
import type { ArrivalEntry } from '../stores/exchange/arrivals.ts'
import { useEngine } from '../stores/engine/engine.ts'
import styles from './ArrivalSheet.module.css'
import { Provenance } from './Provenance.tsx'
import asides from '../shared/Asides.module.css'

const forms = {
  pack: 'A company of characters',
  charx: 'A character with weights of its own (CHARX)',
  peft: 'A LoRA (PEFT)',
  mlx: 'A LoRA (mlx-lm)',
  link: 'A character by link',
} as const

/** From so many on, a choice of all and none saves clicks. */
const MANY = 6
/** A list of faces that the page can still draw at once. */
const MOST_SHOWN = 200

/** What a pack holds: who, for which model, under which licence, and where it comes from. */
export function PackFacts({
  entry,
  arrival,
}: {
  readonly entry: ArrivalEntry
  readonly arrival: PackArrival
}) {
  const info = useEngine((state) => state.info)
  const { fileName, form, roles, backbone, licence, warnings } = arrival
  return (
    <>
      <header className={styles.head}>
        <h3 className={styles.name}>{fileName}</h3>
        <p className={asides.quiet}>
          {forms[form]} · {bytes(arrival.bytes)}
        </p>
      </header>
      {isForAnotherModel(backbone, info) && (
        <OtherModel
          backbone={backbone}
          then="Switch to their model, and bring them in then: this sheet stays open."
        />
      )}
      {roles.length > MANY && <AllOrNone entry={entry} roles={roles} />}
      <ul className={styles.roles} aria-label="Who is in it">
        {roles.slice(0, MOST_SHOWN).map((role) => (
          <RoleChoice
            key={role.name}
            role={role}
            arrival={arrival}
            isChosen={entry.roles.includes(role.name)}
            onChoose={(isChosen) => chooseRole(entry.id, role.name, isChosen)}
          />
        ))}
      </ul>
      {roles.length > MOST_SHOWN && (
        <p className={asides.quiet}>
          And {count(roles.length - MOST_SHOWN)} more, who come with all or not at all.
        </p>
      )}
      <dl className={styles.facts}>
        <dt>Plays on</dt>
        <dd>{backbone.name || 'a model that the file does not name'}</dd>
        <dt>Licence</dt>
        <dd>{licence || 'none stated'}</dd>
      </dl>
      {warnings.length > 0 && (
        <Notice title="Before you let them in" tone="warning">
          {warnings.map((warning) => (
            <p key={warning}>{warning}</p>
          ))}
        </Notice>
      )}
      <Origin arrival={arrival} />
    </>
  )
}

interface AllOrNoneProps {
  readonly entry: ArrivalEntry
  readonly roles: readonly RoleFacts[]
}

function AllOrNone({ entry, roles }: AllOrNoneProps) {
  const names = roles.map(({ name }) => name)
  return (
    <div className={styles.actions}>
      <Button label={`Choose all ${count(names.length)}`} onClick={() => chooseRoles(entry.id, names)} />
      <Button label="Choose none" look="quiet" onClick={() => chooseRoles(entry.id, [])} />
    </div>
  )
}

function Origin({ arrival }: { readonly arrival: PackArrival }) {
  return (
    <Fold title="Where it comes from, and what it measures">
      <Provenance provenance={arrival.provenance} />
      <dl className={styles.facts}>
        <dt>Weights</dt>
        <dd>
          rank {arrival.rank} in {arrival.layers} layers
        </dd>
        <dt>SHA-256</dt>
        <dd>
          <code>{arrival.sha256}</code>
        </dd>
      </dl>
      <p className={asides.quiet}>
        The hash says that the file came whole, not who made it: anybody can write anything here.
      </p>
    </Fold>
  )
}

interface RoleChoiceProps {
  readonly role: RoleFacts
  readonly arrival: PackArrival
  readonly isChosen: boolean
  readonly onChoose: (isChosen: boolean) => void
}

function RoleChoice({ role, arrival, isChosen, onChoose }: RoleChoiceProps) {
  const member = useMemo(() => arrivingMember(role, arrival.roles), [role, arrival])
  const picture = arrival.portraits.get(role.name)
  return (
    <li {...accentProps(member.accent)}>
      <label className={styles.role}>
        <input
          type="checkbox"
          checked={isChosen}
          onChange={(event) => onChoose(event.target.checked)}
          aria-label={member.displayName}
        />
        <Portrait member={picture ? { ...member, portrait: picture } : member} size="medium" />
        <span>
          <bdi className={styles.roleName}>{member.displayName}</bdi>
          {role.blend && <span className={asides.quiet}>a blend</span>}
        </span>
      </label>
    </li>
  )
}
