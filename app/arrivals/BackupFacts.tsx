import type { BackupArrival } from '../../src/exchange/arrival.ts'
import { useEffect, useState } from 'react'

import { asHycoraError } from '../../src/core/errors.ts'
import type { RestorePlan } from '../../src/storage/backup.ts'
import type { Persona } from '../../src/storage/records.ts'
import { bytes, count } from '../shared/format.ts'
import { Notice } from '../shared/Notice.tsx'
import { planOf } from '../stores/exchange/housekeeping.ts'
import { missingPersonas } from '../stores/page/personas.ts'
import { useSettings } from '../stores/page/settings.ts'
import styles from './ArrivalSheet.module.css'
import asides from '../shared/Asides.module.css'

/** What a backup holds, and what putting it back would do. */
export function BackupFacts({ arrival }: { readonly arrival: BackupArrival }) {
  const { plan, failure } = usePlan(arrival)
  const personas = useSettings((state) => state.personas)
  return (
    <>
      <header className={styles.head}>
        <h3 className={styles.name}>{arrival.fileName}</h3>
        <p className={asides.quiet}>
          A backup of{' '}
          {new Date(arrival.createdAt).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' })} ·{' '}
          {bytes(arrival.bytes)}
        </p>
      </header>
      {failure !== null && (
        <Notice title="The backup cannot be put back" tone="danger">
          <p>{failure}.</p>
        </Notice>
      )}
      {plan && (
        <>
          <dl className={styles.facts}>
            <dt>Companies</dt>
            <dd>{described(plan.packs.length, plan.present.packs)}</dd>
            <dt>Cards</dt>
            <dd>{described(plan.cards.length, plan.present.cards)}</dd>
            <dt>Chats</dt>
            <dd>{chatsOf(plan)}</dd>
            <dt>Personas</dt>
            <dd>{personasOf(plan, personas)}</dd>
          </dl>
          <p>Nothing that is here is changed or removed. Your other settings stay as they are.</p>
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
    added > 0 ? `${count(added)} to put back` : '',
    present > 0 ? `${count(present)} here already` : '',
  ].filter(Boolean)
  return parts.join(', ') || 'none'
}

function personasOf({ settings }: RestorePlan, here: readonly Persona[]): string {
  const kept = settings?.personas ?? []
  const missing = missingPersonas(kept, here).length
  return described(missing, kept.length - missing)
}

function chatsOf({ chats, present }: RestorePlan): string {
  const number = (kind: string): number => chats.filter((step) => step.kind === kind).length
  const parts = [
    number('new') > 0 ? `${count(number('new'))} to put back` : '',
    number('more') > 0 ? `${count(number('more'))} that went on in the backup` : '',
    number('other') > 0
      ? `${count(number('other'))} that went on both here and there, kept side by side`
      : '',
    present.chats > 0 ? `${count(present.chats)} here already` : '',
  ].filter(Boolean)
  return parts.join(', ') || 'none'
}
