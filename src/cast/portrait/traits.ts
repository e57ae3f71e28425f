import { recordOf } from '../../core/record.ts'
import { Random } from '../../core/random.ts'

/** What a generated face is made of; each is in [0, 1] and equally likely anywhere in it for a random vector. */
export const TRAITS = [
  'hueCosine',
  'hueSine',
  'fieldLightness',
  'skin',
  'hairTone',
  'hairTint',
  'turn',
  'tilt',
  'faceWidth',
  'faceLength',
  'jaw',
  'chin',
  'eyeSpacing',
  'eyeSize',
  'eyeOpening',
  'browAngle',
  'browWeight',
  'noseLength',
  'noseWidth',
  'mouthWidth',
  'mouthCurve',
  'mouthOpening',
  'hairline',
  'hairVolume',
  'hairLength',
  'hairParting',
  'hairWave',
  'beard',
  'moustache',
  'hat',
  'hatCrown',
  'hatBrim',
  'hatPlume',
  'glasses',
  'collar',
  'shoulders',
  'clothTone',
  'jewel',
  'cheek',
  'age',
] as const
export type FaceTrait = (typeof TRAITS)[number]
export type Traits = Readonly<Record<FaceTrait, number>>

/** Any number; changing it changes every generated face. */
const SEED = 20260

const directions = new Map<number, readonly Float64Array[]>()

/** One random direction a trait; each has its own stream, so a trait added at the end leaves the others alone. */
function directionsFor(length: number): readonly Float64Array[] {
  const known = directions.get(length)
  if (known) return known
  const made = TRAITS.map((_, trait) => {
    const random = new Random(SEED, trait)
    return Float64Array.from({ length }, () => random.nextNormal())
  })
  directions.set(length, made)
  return made
}

/**
 * The traits of a role's vector:
 * `trait[t] = σ(1.702 · (R·v)[t] / ‖v‖)`, R [traits, length] of fixed standard normal numbers, σ the logistic function.
 *
 * For a vector in any direction `(R·v)[t] / ‖v‖` is standard normal, and σ(1.702·x) is near its distribution function,
 * so that traits fill [0, 1] evenly whatever the scale of the vectors. The zero vector has every trait at ½.
 *
 * @param vector [length]
 */
export function faceTraits(vector: Float32Array): Traits {
  const norm = Math.hypot(...vector)
  const rows = directionsFor(vector.length)
  return recordOf(TRAITS, (_, index) => {
    let sum = 0
    rows[index]?.forEach((weight, i) => {
      sum += weight * (vector[i] ?? 0)
    })
    return 1 / (1 + Math.exp(-1.702 * (norm > 0 ? sum / norm : 0)))
  })
}
