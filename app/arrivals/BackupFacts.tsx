import type { BackupArrival } from '../../src/exchange/arrival.ts'
import { useEffect, useState } from 'react'

import { asHycoraError } from '../../src/core/errors.ts'
import type { RestorePlan } from '../../src/storage/backup.ts'
import type { Persona } from '../../src/storage/records.ts'
import { DetailParagraph } from '../shared/Detail.tsx'
import { bytes, list, moment } from '../shared/format.ts'
import { Notice } from '../shared/Notice.tsx'
import { planOf } from '../stores/exchange/housekeeping.ts'
import { missingPersonas } from '../stores/page/personas.ts'
import { useSettings } from '../stores/page/settings.ts'
import styles from './ArrivalSheet.module.css'
import asides from '../shared/Asides.module.css'
import { arrivalsText } from '../words/arrivals.ts'

/** What a backup holds, and what putting it back would do. */
export function BackupFacts({ arrival }: { readonly arrival: BackupArrival }) {
  const { plan, failure } = usePlan(arrival)
  const personas = useSettings((state) => state.personas)
  return (
    <>
      <header className={styles.head}>
        <h3 className={styles.name}>{arrival.fileName}</h3>
        <p className={asides.quiet}>
          {arrivalsText('backup.of', { when: moment(arrival.createdAt), size: bytes(arrival.bytes) })}
        </p>
      </header>
      {failure !== null && (
        <Notice title={arrivalsText('backup.cannot')} tone="danger">
          <DetailParagraph detail={failure} />
        </Notice>
      )}
      {plan && (
        <>
          <dl className={styles.facts}>
            <dt>{arrivalsText('backup.companies')}</dt>
            <dd>{described(plan.packs.length, plan.present.packs)}</dd>
            <dt>{arrivalsText('backup.cards')}</dt>
            <dd>{described(plan.cards.length, plan.present.cards)}</dd>
            <dt>{arrivalsText('backup.chats')}</dt>
            <dd>{chatsOf(plan)}</dd>
            <dt>{arrivalsText('backup.personas')}</dt>
            <dd>{personasOf(plan, personas)}</dd>
          </dl>
          <p>{arrivalsText('backup.safe')}</p>
        </>
      )}
    </>
  )
}

function usePlan(arrival: BackupArrival): {
  readonly plan: RestorePlan | null
  readonly failure: string | null
} {
  const [state, setState] = useState<{ plan: RestorePlan | null; failure: string | null }>({
    plan: null,
    failure: null,
  })
  useEffect(() => {
    planOf(arrival).then(
      (plan) => setState({ plan, failure: null }),
      (thrown: unknown) => setState({ plan: null, failure: asHycoraError(thrown, 'format-invalid').message }),
    )
  }, [arrival])
  return state
}

function described(added: number, present: number): string {
  const parts = [
    added > 0 ? arrivalsText('backup.added', { added }) : '',
    present > 0 ? arrivalsText('backup.present', { present }) : '',
  ].filter(Boolean)
  return list(parts) || arrivalsText('backup.none')
}

function personasOf({ settings }: RestorePlan, here: readonly Persona[]): string {
  const kept = settings?.personas ?? []
  const missing = missingPersonas(kept, here).length
  return described(missing, kept.length - missing)
}

function chatsOf({ chats, present }: RestorePlan): string {
  const number = (kind: string): number => chats.filter((step) => step.kind === kind).length
  const parts = [
    number('new') > 0 ? arrivalsText('backup.added', { added: number('new') }) : '',
    number('more') > 0 ? arrivalsText('backup.more', { more: number('more') }) : '',
    number('other') > 0 ? arrivalsText('backup.other', { other: number('other') }) : '',
    present.chats > 0 ? arrivalsText('backup.present', { present: present.chats }) : '',
  ].filter(Boolean)
  return list(parts) || arrivalsText('backup.none')
}
