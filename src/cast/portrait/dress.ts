import { CENTRE, EYE_LINE, disc, eyeCentre, line, mix, rise, shape, show } from './pen.ts'
import type { Face, Point } from './pen.ts'

/** Round spectacles, whose wire grows from nothing. */
export function drawGlasses(face: Face): string {
  const { inks, turn, width, traits } = face
  const wire = 3.6 * rise(traits.glasses, 0.7, 0.9)
  if (wire === 0) return ''
  const radius = (side: number): number => (face.eye + 6) * (1 - 0.1 * side * turn)
  const ring = (side: number): string => {
    const r = radius(side)
    const x = eyeCentre(face, side)
    return `M${show(x - r, EYE_LINE)}a${show(r, r)} 0 1 0 ${show(2 * r, 0)}a${show(r, r)} 0 1 0 ${show(-2 * r, 0)}`
  }
  const [left, right] = [eyeCentre(face, -1), eyeCentre(face, 1)]
  const bridge = `M${show(left + radius(-1), EYE_LINE - 2)}L${show(right - radius(1), EYE_LINE - 2)}`
  const arms =
    `M${show(CENTRE - width, EYE_LINE - 4)}L${show(left - radius(-1), EYE_LINE - 2)}` +
    `M${show(CENTRE + width, EYE_LINE - 4)}L${show(right + radius(1), EYE_LINE - 2)}`
  return line(`${ring(-1)}${ring(1)}${bridge}${arms}`, inks.dark, wire)
}

/** A hat from a headband to a wide brim and a tall crown, with a plume. */
export function drawHat({ inks, width, volume, hat, traits }: Face): string {
  if (hat === 0) return ''
  const base = mix(112, 128, hat)
  const half = width + volume * 0.5 + 2
  const brimmed = hat * rise(traits.hat, 0.64, 0.88)
  const height = hat * mix(48, 100, traits.hatCrown)
  const lip = half * mix(0.3, 0.9, traits.hatCrown)
  const reach = half + brimmed * mix(6, 62, traits.hatBrim)
  const top = base - height
  const crown =
    `M${show(CENTRE - half, base + 4)}C${show(CENTRE - half - 2, base - height * 0.7, CENTRE - half * 0.96, top, CENTRE - lip, top)}` +
    `L${show(CENTRE + lip, top)}C${show(CENTRE + half * 0.96, top, CENTRE + half + 2, base - height * 0.7, CENTRE + half, base + 4)}Z`
  const tip = base + brimmed * mix(12, -10, traits.hatPlume)
  const brim =
    `M${show(CENTRE - reach, tip)}C${show(CENTRE - reach * 0.6, base - (4 * hat + 8 * brimmed), CENTRE + reach * 0.6, base - (4 * hat + 8 * brimmed), CENTRE + reach, tip)}` +
    `C${show(CENTRE + reach * 0.6, base + (4 * hat + 10 * brimmed), CENTRE - reach * 0.6, base + (4 * hat + 10 * brimmed), CENTRE - reach, tip)}Z`
  const band = `M${show(CENTRE - half, base)}Q${show(CENTRE, base - 12, CENTRE + half, base)}V${show(base - height * 0.3)}Q${show(CENTRE, base - height * 0.3 - 12, CENTRE - half, base - height * 0.3)}Z`
  const plume = brimmed * rise(traits.hatPlume, 0.45, 0.9)
  const feather =
    'M0 0C-8 -50 -56 -86 -104 -74C-124 -68 -138 -46 -134 -18C-126 -30 -116 -32 -106 -26C-104 -36 -92 -36 -84 -26C-78 -40 -36 -34 0 0Z'
  const place = `translate(${show(CENTRE + half * 0.7, base - 6)}) scale(${Math.round(plume * 100) / 100})`
  return [
    plume > 0 ? `<g transform="${place}">${shape(feather, inks.paper)}</g>` : '',
    shape(crown, inks.clothShade),
    shape(band, inks.field),
    shape(brim, inks.clothShade),
  ].join('')
}

/** The coat, which the hair may fall over. */
export function drawCoat({ inks, traits }: Face): string {
  const shoulder = mix(116, 146, traits.shoulders)
  const fall = mix(338, 318, traits.shoulders)
  const left = show(CENTRE - shoulder + 4, 360, CENTRE - shoulder * 0.72, fall, CENTRE - 40, 306)
  const right = show(CENTRE + shoulder * 0.72, fall, CENTRE + shoulder - 4, 360, CENTRE + shoulder, 410)
  return shape(`M${show(CENTRE - shoulder, 410)}C${left}L${show(CENTRE + 40, 306)}C${right}Z`, inks.cloth)
}

/** Neck, lapels, shirt, tie and a string of beads. */
export function drawNeck({ inks, width, turn, traits }: Face): string {
  const neck = width * mix(0.5, 0.62, traits.jaw)
  const loose = 1 - rise(traits.collar, 0.6, 0.9)
  const knot = CENTRE + 3 * turn
  const throat = show(CENTRE - neck - 4, 312, knot, 352, CENTRE + neck + 4, 312, CENTRE + neck, 224)
  const lapel = (side: number): string => {
    const edge = show(CENTRE + side * (neck + 38), 330, CENTRE + side * 40, 410, knot, 410, knot, 352)
    return `M${show(CENTRE + side * (neck + 6), 304)}L${edge}Z`
  }
  const flap = (side: number): string => {
    const point = show(CENTRE + side * (neck * 0.4 + 14 * loose), 352 + 22 * loose)
    const back = show(CENTRE + side * (neck + 14 * loose), 308)
    return `M${show(CENTRE + side * (neck + 2), 294)}L${show(knot, 350)} ${point} ${back}Z`
  }
  const beads = 4.6 * rise(traits.jewel, 0.66, 0.95)
  const pearls = Array.from({ length: 13 }, (_, i): Point => {
    const angle = Math.PI * ((i + 0.5) / 13)
    return [CENTRE - (neck + 20) * Math.cos(angle), 318 + 52 * Math.sin(angle)]
  })
  return [
    shape(`${lapel(-1)}${lapel(1)}`, inks.clothShade),
    shape(`M${show(CENTRE - neck, 224)}L${throat}Z`, inks.skinShade),
    shape(`M${show(knot - 9, 350)}L${show(knot + 9, 350, knot + 15, 410, knot - 15, 410)}Z`, inks.field),
    shape(`${flap(-1)}${flap(1)}`, inks.paper),
    beads > 0 ? pearls.map((point) => disc(point, beads, inks.paper)).join('') : '',
  ].join('')
}

/** A pleated ruff behind the chin, which grows from nothing. */
export function drawRuff({ inks, chinLine, traits }: Face): string {
  const size = rise(traits.collar, 0.76, 0.97)
  if (size === 0) return ''
  const pleats = 24
  const [across, along] = [mix(40, 112, size), mix(12, 78, size)]
  const middle = mix(306, chinLine - 24, size)
  const at = (angle: number, scale: number): Point => [
    CENTRE + across * scale * Math.cos(angle),
    middle + along * scale * Math.sin(angle),
  ]
  const turnBy = (2 * Math.PI) / pleats
  const scallops = Array.from(
    { length: pleats },
    (_, i) => `Q${show(...at((i + 0.5) * turnBy, 1.12), ...at((i + 1) * turnBy, 1))}`,
  )
  const folds = Array.from({ length: pleats }, (_, i) => {
    const corners = [at((i + 0.3) * turnBy, 0.45), at((i + 0.1) * turnBy, 0.97), at((i + 0.5) * turnBy, 0.97)]
    return `M${corners.map((point) => show(...point)).join('L')}Z`
  })
  return (
    shape(`M${show(...at(0, 1))}${scallops.join('')}Z`, inks.paper) + shape(folds.join(''), inks.skinShade)
  )
}
