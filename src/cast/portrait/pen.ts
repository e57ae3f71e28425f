import type { Traits } from './traits.ts'

/** The middle of the view box, around which a face is measured. */
export const CENTRE = 160
/** The height of the eyes. */
export const EYE_LINE = 184

/** x and y in the view box 0 0 320 400. */
export type Point = readonly [number, number]

/** The flat inks of one portrait, each `#rrggbb`. */
export interface Inks {
  readonly field: string
  readonly dark: string
  readonly paper: string
  readonly skin: string
  readonly skinShade: string
  readonly hair: string
  readonly brow: string
  readonly cloth: string
  readonly clothShade: string
}

/** Measures of one face, in units of the view box, from which all its parts are drawn. */
export interface Face {
  readonly traits: Traits
  readonly inks: Inks
  /** Where it looks: −1 to the viewer's left, 1 to the right. */
  readonly turn: number
  /** Half the width at the cheekbones. */
  readonly width: number
  /** Half the widths at the jaw and at the chin, and the chin's height. */
  readonly jaw: number
  readonly chin: number
  readonly chinLine: number
  /** The vertical axis of the features, displaced by the turn. */
  readonly axis: number
  readonly noseLine: number
  readonly mouthLine: number
  /** How much of a hat's crown there is, from 0 to 1; the brim follows. */
  readonly hat: number
  readonly hairline: number
  /** How far the hair stands off the skull. */
  readonly volume: number
  /** Half the width of an eye. */
  readonly eye: number
  readonly lid: number
}

/** The straight line from `from` (amount 0) to `to` (amount 1). */
export function mix(from: number, to: number, amount: number): number {
  return from + (to - from) * amount
}

/** 0 below `start`, 1 above `end`, smooth between: how a feature that not everybody has grows from nothing. */
export function rise(value: number, start: number, end: number): number {
  const t = Math.min(1, Math.max(0, (value - start) / (end - start)))
  return t * t * (3 - 2 * t)
}

/** Numbers as path data, to a tenth. */
export function show(...numbers: readonly number[]): string {
  return numbers.map((value) => `${Math.round(value * 10) / 10}`).join(' ')
}

/** Path data of cubic segments: a start, then three points each. */
export function curve(points: readonly Point[]): string {
  const [start, ...rest] = points.map((point) => show(...point))
  return `M${start}C${rest.join(' ')}`
}

/** A filled path. */
export function shape(data: string, fill: string): string {
  return `<path d="${data}" fill="${fill}"/>`
}

/** A stroked path with round ends. */
export function line(data: string, stroke: string, width: number): string {
  return `<path d="${data}" fill="none" stroke="${stroke}" stroke-width="${show(width)}" stroke-linecap="round"/>`
}

/** A filled circle. */
export function disc([x, y]: Point, radius: number, fill: string): string {
  return `<circle cx="${show(x)}" cy="${show(y)}" r="${show(radius)}" fill="${fill}"/>`
}

/** Where an eye is; `side` is −1 on the viewer's left, 1 on the right. */
export function eyeCentre({ axis, turn, traits }: Face, side: number): number {
  return axis + side * mix(25, 31, traits.eyeSpacing) * (1 - 0.12 * side * turn)
}
