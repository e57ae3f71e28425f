import type { Settings } from '../../src/storage/records.ts'
import { Icon } from '../shared/Icon.tsx'
import { useCast } from '../stores/company/cast.ts'
import { routeHash } from '../stores/page/route.ts'
import { changeSettings, useSettings } from '../stores/page/settings.ts'
import styles from './CastScreen.module.css'

const ORDERS: readonly { readonly value: Settings['castOrder']; readonly name: string }[] = [
  { value: 'cast', name: 'As they came' },
  { value: 'recent', name: 'Last talked to' },
  { value: 'name', name: 'By name' },
]

interface CastToolsProps {
  readonly search: string
  readonly onSearch: (search: string) => void
}

/** What helps once there are many: a search by name and line, and their order. */
export function CastTools({ search, onSearch }: CastToolsProps) {
  // Whoever is not trained has no place on it.
  const hasMap = useCast((state) => state.members.some(({ isTrained }) => isTrained === true))
  const order = useSettings((state) => state.castOrder)
  return (
    <div className={styles.find}>
      <input
        type="search"
        className={styles.search}
        aria-label="Search the cast"
        placeholder="Search the cast"
        value={search}
        onChange={(event) => onSearch(event.target.value)}
      />
      <label className={styles.order}>
        <Icon name="order" />
        <select
          aria-label="Order of the cast"
          value={order}
          onChange={({ target }) => {
            const chosen = ORDERS.find(({ value }) => value === target.value)
            if (chosen) changeSettings({ castOrder: chosen.value })
          }}
        >
          {ORDERS.map(({ value, name }) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {hasMap && (
        <a className={styles.map} href={routeHash({ screen: 'map' })}>
          On a map
        </a>
      )}
    </div>
  )
}
