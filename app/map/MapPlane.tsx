import { useId } from 'react'

import type { CastMember } from '../../src/cast/member.ts'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import styles from './MapScreen.module.css'
import type { Spot } from './plane.ts'
import { mapText } from '../words/map.ts'

/** Somebody with their place. */
export interface PlacedMember {
  readonly member: CastMember
  readonly place: Spot
}

interface MapPlaneProps {
  readonly cast: readonly PlacedMember[]
  /** Where one stands; null for nowhere yet. */
  readonly at: Spot | null
  readonly onStand: (at: Spot) => void
}

/** The characters on a plane: a click between them is a place to stand. */
export function MapPlane({ cast, at, onStand }: MapPlaneProps) {
  return (
    <div>
      {/* Whoever has no pointer stands where the two sliders say. */}
      <div
        className={styles.plane}
        data-testid="plane"
        onClick={({ currentTarget, clientX, clientY }) => {
          const box = currentTarget.getBoundingClientRect()
          onStand({ x: inner((clientX - box.left) / box.width), y: inner((clientY - box.top) / box.height) })
        }}
      >
        {at && <span className={styles.marker} style={positionOf(at)} aria-hidden="true" />}
        {cast.map(({ member, place }) => (
          <button
            key={member.key}
            type="button"
            className={styles.role}
            style={{ ...positionOf(place), ...accentProps(member.accent).style }}
            data-accent=""
            aria-label={mapText('stand', { displayName: member.displayName })}
            onClick={(event) => {
              event.stopPropagation()
              onStand(place)
            }}
          >
            <Portrait member={member} size="small" />
            <span className={styles.roleName}>{member.displayName}</span>
          </button>
        ))}
      </div>
      <Axis
        label={mapText('across')}
        value={at?.x ?? 0.5}
        onChange={(x) => onStand({ x, y: at?.y ?? 0.5 })}
      />
      <Axis label={mapText('down')} value={at?.y ?? 0.5} onChange={(y) => onStand({ x: at?.x ?? 0.5, y })} />
    </div>
  )
}

/** The share of the plane's sides that stays free of places, for faces and names. */
const MARGIN = 0.1

function inner(share: number): number {
  return Math.min(1, Math.max(0, (share - MARGIN) / (1 - 2 * MARGIN)))
}

function positionOf({ x, y }: Spot) {
  return { left: outer(x), top: outer(y) }
}

function outer(value: number): string {
  return `${100 * (MARGIN + value * (1 - 2 * MARGIN))}%`
}

interface AxisProps {
  readonly label: string
  readonly value: number
  readonly onChange: (value: number) => void
}

function Axis({ label, value, onChange }: AxisProps) {
  const id = useId()
  const percent = Math.round(100 * value)
  return (
    <div className={styles.axis}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={100}
        value={percent}
        aria-valuetext={`${percent} %`}
        onChange={({ target }) => onChange(target.valueAsNumber / 100)}
      />
    </div>
  )
}
