import type { Settings } from '../../src/storage/records.ts'
import { Icon } from '../shared/Icon.tsx'
import { useCast } from '../stores/company/cast.ts'
import { routeHash } from '../stores/page/route.ts'
import { changeSettings, useSettings } from '../stores/page/settings.ts'
import styles from './CastScreen.module.css'
import { castText } from '../words/cast.ts'

const ORDERS = ['cast', 'recent', 'name'] as const satisfies readonly Settings['castOrder'][]

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
        aria-label={castText('search')}
        placeholder={castText('search')}
        value={search}
        onChange={(event) => onSearch(event.target.value)}
      />
      <label className={styles.order}>
        <Icon name="order" />
        <select
          aria-label={castText('order')}
          value={order}
          onChange={({ target }) => {
            const chosen = ORDERS.find((one) => one === target.value)
            if (chosen) changeSettings({ castOrder: chosen })
          }}
        >
          {ORDERS.map((value) => (
            <option key={value} value={value}>
              {castText(`order.${value}`)}
            </option>
          ))}
        </select>
      </label>
      {hasMap && (
        <a className={styles.map} href={routeHash({ screen: 'map' })}>
          {castText('map')}
        </a>
      )}
    </div>
  )
}
