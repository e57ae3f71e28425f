import type { JsonRecord } from '../../src/core/json.ts'
import styles from './ArrivalSheet.module.css'
import asides from '../shared/Asides.module.css'
import { arrivalsText } from '../words/arrivals.ts'

const LONGEST = 300
const MOST = 16

/** What a file says of its making, as it says it. */
export function Provenance({ provenance }: { readonly provenance: JsonRecord }) {
  const facts = Object.entries(provenance).slice(0, MOST)
  if (facts.length === 0) return <p className={asides.quiet}>{arrivalsText('unsigned')}</p>
  return (
    <dl className={styles.facts}>
      {facts.map(([key, value]) => (
        <Fact key={key} name={key} value={value} />
      ))}
    </dl>
  )
}

function Fact({ name, value }: { readonly name: string; readonly value: unknown }) {
  const written = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return (
    <>
      <dt>{name.slice(0, 40).replaceAll('_', ' ')}</dt>
      <dd>{written.length > LONGEST ? `${written.slice(0, LONGEST)}…` : written}</dd>
    </>
  )
}
