import type { PackArrival } from '../../src/exchange/arrival.ts'
import type { RoleFacts } from '../../src/formats/packFacts.ts'
import { useMemo } from 'react'

import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { arrivingMember, isForAnotherModel } from '../../src/cast/member.ts'
import { Button } from '../shared/Button.tsx'
import { DetailParagraph } from '../shared/Detail.tsx'
import { Fold } from '../shared/Fold.tsx'
import { bytes } from '../shared/format.ts'
import { Notice } from '../shared/Notice.tsx'
import { OtherModel } from '../shared/OtherModel.tsx'
import { chooseRole, chooseRoles } from '../stores/exchange/arrivals.ts'
import type { ArrivalEntry } from '../stores/exchange/arrivals.ts'
import { useEngine } from '../stores/engine/engine.ts'
import styles from './ArrivalSheet.module.css'
import { Provenance } from './Provenance.tsx'
import asides from '../shared/Asides.module.css'
import { arrivalsText } from '../words/arrivals.ts'

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
          {arrivalsText(`pack.form.${form}`)} · {bytes(arrival.bytes)}
        </p>
      </header>
      {isForAnotherModel(backbone, info) && (
        <OtherModel backbone={backbone} then={arrivalsText('pack.then')} />
      )}
      {roles.length > MANY && <AllOrNone entry={entry} roles={roles} />}
      <ul className={styles.roles} aria-label={arrivalsText('pack.who')}>
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
        <p className={asides.quiet}>{arrivalsText('pack.more', { more: roles.length - MOST_SHOWN })}</p>
      )}
      <dl className={styles.facts}>
        <dt>{arrivalsText('pack.backbone')}</dt>
        <dd>{backbone.name || arrivalsText('pack.backbone.none')}</dd>
        <dt>{arrivalsText('pack.licence')}</dt>
        <dd>{licence || arrivalsText('pack.licence.none')}</dd>
      </dl>
      {warnings.length > 0 && (
        <Notice title={arrivalsText('pack.before')} tone="warning">
          {warnings.map((warning) => (
            <DetailParagraph key={warning} detail={warning} />
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
      <Button
        label={arrivalsText('pack.all', { names: names.length })}
        onClick={() => chooseRoles(entry.id, names)}
      />
      <Button label={arrivalsText('pack.none')} look="quiet" onClick={() => chooseRoles(entry.id, [])} />
    </div>
  )
}

function Origin({ arrival }: { readonly arrival: PackArrival }) {
  return (
    <Fold title={arrivalsText('pack.origin')}>
      <Provenance provenance={arrival.provenance} />
      <dl className={styles.facts}>
        <dt>{arrivalsText('pack.weights')}</dt>
        <dd>{arrivalsText('pack.weights.size', { rank: arrival.rank, layers: arrival.layers })}</dd>
        <dt>SHA-256</dt>
        <dd>
          <code>{arrival.sha256}</code>
        </dd>
      </dl>
      <p className={asides.quiet}>{arrivalsText('pack.hash')}</p>
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
          {role.blend && <span className={asides.quiet}>{arrivalsText('pack.blend')}</span>}
        </span>
      </label>
    </li>
  )
}
