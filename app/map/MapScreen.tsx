import { useEffect, useMemo, useState } from 'react'

import { faceOf } from '../../src/cast/face.ts'
import type { CastMember } from '../../src/cast/member.ts'
import type { RoleMap } from '../../src/core/training.ts'
import { tsnePoints } from '../../src/core/tsne.ts'
import { Choices } from '../backstage/Choices.tsx'
import { Hearing } from '../blend/Hearing.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { Portrait } from '../shared/Portrait.tsx'
import { SideScreen } from '../shared/SideScreen.tsx'
import asides from '../shared/Asides.module.css'
import {
  dismissBlendFailure,
  mixedVector,
  mixText,
  nameOfMix,
  setParts,
  useBlend,
} from '../stores/chat/blend.ts'
import type { Part } from '../stores/chat/blend.ts'
import { goOnPath, leavePath, mappedCompanies, measureCompany, useCastMap } from '../stores/chat/castMap.ts'
import { useCast } from '../stores/company/cast.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { routeHash } from '../stores/page/route.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { MapPlane } from './MapPlane.tsx'
import type { PlacedMember } from './MapPlane.tsx'
import styles from './MapScreen.module.css'
import { PathForm } from './PathForm.tsx'
import { mixAt, placeOfMix, placesOf } from './plane.ts'
import type { Spot } from './plane.ts'
import { mapText } from '../words/map.ts'
import { sharedText } from '../words/shared.ts'
import { list } from '../shared/format.ts'

/** The characters of a company as their weights lie, and whoever stands between them. */
export function MapScreen() {
  const members = useCast((state) => state.members)
  const info = useEngine((state) => state.info)
  const of = useCastMap((state) => state.of)
  const map = useCastMap((state) => state.map)
  const failure = useCastMap((state) => state.failure)
  const companies = mappedCompanies(members, info)
  const company = companies.find((one) => one.some(({ key }) => key === of)) ?? companies[0]
  const first = company?.[0]?.key
  useEffect(() => {
    if (company) void measureCompany(company)
    // Measured once a company and model: `company` is made anew each time.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [first, info])
  return (
    <SideScreen title={sharedText('screen.map')} about={mapText('about')}>
      {failure && <ErrorNotice failure={failure} onRetry={() => company && void measureCompany(company)} />}
      {companies.length > 1 && (
        <select
          aria-label={mapText('company')}
          value={first}
          onChange={({ target }) => {
            const chosen = companies.find((one) => one[0]?.key === target.value)
            if (chosen) void measureCompany(chosen)
          }}
        >
          {companies.map((one) => (
            <option key={one[0]?.key} value={one[0]?.key}>
              {list(one.map(({ displayName }) => displayName))}
            </option>
          ))}
        </select>
      )}
      <Body company={company} map={map} isReady={info !== null} />
    </SideScreen>
  )
}

interface BodyProps {
  readonly company: readonly CastMember[] | undefined
  readonly map: RoleMap | null
  readonly isReady: boolean
}

function Body({ company, map, isReady }: BodyProps) {
  if (!isReady) return <p className={asides.note}>{mapText('soon')}</p>
  if (!company) {
    return <p className={asides.note}>{mapText('few')}</p>
  }
  if (!map) return <p className={asides.note}>{mapText('measuring')}</p>
  if (map.isShared) return <p className={asides.note}>{mapText('oneAndAll')}</p>
  return <Ground company={company} map={map} />
}

const WAYS = ['pca', 'tsne'] as const
type Way = (typeof WAYS)[number]

function Ground({ company, map }: { readonly company: readonly CastMember[]; readonly map: RoleMap }) {
  const parts = useBlend((state) => state.parts)
  const failure = useBlend((state) => state.failure)
  const isRehearsing = useTraining(isTraining)
  const [way, setWay] = useState<Way>('pca')
  // Where the visitor has clicked, as long as whoever they found there is who stands there.
  const [stood, setStood] = useState<{ readonly at: Spot; readonly parts: readonly Part[] } | null>(null)
  const cast = useMemo(() => placed(company, map, way), [company, map, way])
  const places = cast.map(({ place }) => place)
  const face = useMemo(() => faceOf(mixedVector(parts)), [parts])
  const shares = parts.flatMap(({ key, percent }) => {
    const index = cast.findIndex(({ member }) => member.key === key)
    return index < 0 || percent <= 0 ? [] : [{ index, percent }]
  })
  const name = nameOfMix(parts, company)
  return (
    <div className={styles.desk}>
      <section className={styles.ground} aria-label={mapText('ground')}>
        <Choices
          label={mapText('way')}
          choices={WAYS.map((value) => ({ value, name: mapText(`way.${value}`) }))}
          value={way}
          onChange={setWay}
        />
        <MapPlane
          cast={cast}
          at={stood?.parts === parts ? stood.at : placeOfMix(shares, places)}
          onStand={(at) => {
            const found = mixAt(at, places).flatMap(({ index, percent }) => {
              const key = cast[index]?.member.key
              return key === undefined ? [] : [{ key, percent }]
            })
            leavePath()
            setParts(found)
            setStood({ at, parts: found })
          }}
        />
        <PathForm company={company} />
      </section>
      <div className={styles.whoever}>
        {failure && (
          <ErrorNotice failure={failure} onRetry={dismissBlendFailure} onDismiss={dismissBlendFailure} />
        )}
        {isRehearsing && <p className={asides.note}>{mapText('wait')}</p>}
        <div className={styles.here}>
          <Portrait
            member={shares.length > 0 ? { displayName: name, portrait: face?.portrait ?? null } : undefined}
            size="medium"
          />
          <p role="status">{shares.length > 0 ? mixText(parts, company) : mapText('nobody')}</p>
        </div>
        <Hearing name={name} canPlay={shares.length > 0 && !isRehearsing} onHeard={goOnPath} />
        {shares.length > 0 && (
          <a className={styles.link} href={routeHash({ screen: 'blend' })}>
            {mapText('toBlend')}
          </a>
        )}
      </div>
    </div>
  )
}

/** Those of a company who are on its map, with their places. */
function placed(company: readonly CastMember[], map: RoleMap, way: Way): readonly PlacedMember[] {
  const { names, points, cosines } = map
  const places = placesOf(way === 'pca' ? points : tsnePoints(cosines, names.length))
  return names.flatMap((name, index) => {
    const member = company.find(({ role }) => role === name)
    const place = places[index]
    return member && place ? [{ member, place }] : []
  })
}
