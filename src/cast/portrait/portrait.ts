import { colourOf, hexOf, mixColours, readableOn } from './colour.ts'
import type { Colour } from './colour.ts'
import { check } from '../../core/errors.ts'
import { drawCoat, drawGlasses, drawHat, drawNeck, drawRuff } from './dress.ts'
import { drawBackHair, drawBeard, drawFeatures, drawFrontHair, drawHead } from './head.ts'
import { CENTRE, mix, rise } from './pen.ts'
import type { Face, Inks } from './pen.ts'
import { faceTraits } from './traits.ts'
import type { Traits } from './traits.ts'

/** The two papers of the page, on which an accent is read. */
const LIGHT_PAPER = '#faf8f4'
const DARK_PAPER = '#171512'

/** A little above WCAG's 4.5, so that an accent stands on a tinted paper too. */
const READABLE = 4.6

/** Ink, brown, copper, straw, white. */
const HAIR = [
  colourOf(0.25, 0.025, 0.8),
  colourOf(0.36, 0.06, 0.14),
  colourOf(0.52, 0.13, 0.12),
  colourOf(0.76, 0.115, 0.21),
  colourOf(0.965, 0.012, 0.22),
] as const

/** The hue of the field in turns: an angle of two traits, stretched about magenta so that fewer fields are pink. */
function hueOf(traits: Traits): number {
  const angle = Math.atan2(traits.hueSine - 0.5, traits.hueCosine - 0.5)
  return angle / (2 * Math.PI) + 0.08 * Math.sin(angle - 2 * Math.PI * 0.92)
}

/** Grey where the hue's two traits meet, so that the hue's own jump there is not seen. */
function vividnessOf(traits: Traits): number {
  return rise(Math.hypot(traits.hueSine - 0.5, traits.hueCosine - 0.5), 0, 0.12)
}

function fieldOf(traits: Traits): Colour {
  return colourOf(mix(0.48, 0.75, traits.fieldLightness), 0.108 * vividnessOf(traits), hueOf(traits))
}

function hairOf(traits: Traits): Colour {
  const position = traits.hairTone * (HAIR.length - 1)
  const below = Math.min(Math.floor(position), HAIR.length - 2)
  const natural = mixColours(HAIR[below] ?? HAIR[0], HAIR[below + 1] ?? HAIR[0], position - below)
  const dyed = colourOf(0.45, 0.12 * vividnessOf(traits), hueOf(traits) + 0.45)
  return mixColours(natural, dyed, rise(traits.hairTint, 0.8, 1))
}

function inksOf(traits: Traits, accent: string | undefined): Inks {
  const hue = hueOf(traits)
  const depth = traits.skin ** 1.7
  const glow = depth * (1 - depth)
  const skin = colourOf(
    mix(0.93, 0.53, depth),
    mix(0.036, 0.082, depth) + 0.12 * glow,
    mix(0.19, 0.135, depth),
  )
  const skinShade = colourOf(
    mix(0.755, 0.385, depth),
    mix(0.085, 0.07, depth) + 0.1 * glow,
    mix(0.16, 0.12, depth),
  )
  const vivid = vividnessOf(traits)
  const dark = colourOf(0.24, 0.035 * vivid, hue + 0.5)
  const hair = hairOf(traits)
  const cloth = mixColours(
    colourOf(0.3, 0.05 * vivid, hue + 0.5),
    colourOf(0.62, 0.1 * vivid, hue + 0.4),
    traits.clothTone ** 2,
  )
  return {
    field: accent ?? hexOf(fieldOf(traits)),
    dark: hexOf(dark),
    paper: hexOf(colourOf(0.955, 0.024, 0.22)),
    skin: hexOf(skin),
    skinShade: hexOf(skinShade),
    hair: hexOf(hair),
    brow: hexOf(mixColours(hair, dark, 0.55)),
    cloth: hexOf(cloth),
    clothShade: hexOf(mixColours(cloth, dark, 0.55)),
  }
}

function faceOf(traits: Traits, inks: Inks): Face {
  const turn = 2 * traits.turn - 1
  const chinLine = mix(258, 282, traits.faceLength)
  const noseLine = mix(214, 230, traits.noseLength)
  const width = mix(53, 66, traits.faceWidth)
  const bald = rise(traits.hairline, 0.75, 0.95)
  const hat = rise(traits.hat, 0.58, 0.72)
  return {
    traits,
    inks,
    turn,
    width,
    jaw: width * mix(0.68, 0.9, traits.jaw),
    chin: width * mix(0.12, 0.42, traits.chin),
    chinLine,
    axis: CENTRE + 15 * turn,
    noseLine,
    mouthLine: mix(noseLine, chinLine, 0.44),
    hat,
    hairline: mix(mix(134, 112, traits.hairline), 92, bald),
    volume: mix(mix(6, 30, traits.hairVolume) * (1 - 0.6 * hat), 1, bald),
    eye: mix(13.5, 17.5, traits.eyeSize),
    lid: mix(6, 11, traits.eyeOpening),
  }
}

/**
 * A flat portrait generated from a role's own vector, in the hand of the drawn ones: the same vector gives the same
 * face, a near vector a near face, and a blend of two vectors a blend of their faces, since every trait and every
 * measure is a continuous function of the vector and what not everybody has (a hat, a beard) grows from size zero.
 *
 * @param vector [length], length at least 8.
 * @param options `accent`: `#rrggbb` of the field behind the head instead of the generated one.
 * @returns an SVG document with the view box 0 0 320 400; it holds numbers and colours only, no text of anybody.
 * @throws HycoraError `usage` when the vector is shorter than 8 or the accent is no `#rrggbb`.
 */
export function portraitSvg(vector: Float32Array, options: { readonly accent?: string } = {}): string {
  const { accent } = options
  check(
    vector.length >= 8,
    'usage',
    () => `A portrait's vector has ${vector.length} numbers, expected at least 8.`,
  )
  check(
    accent === undefined || /^#[0-9a-f]{6}$/i.test(accent),
    'usage',
    () => "A portrait's accent is not of the form #rrggbb.",
  )
  const traits = faceTraits(vector)
  const inks = inksOf(traits, accent)
  const face = faceOf(traits, inks)
  const tilt = Math.round(mix(-60, 60, traits.tilt)) / 10
  const around = `rotate(${tilt} ${CENTRE} 270)`
  const scale =
    Math.round(mix(mix(1.28, 1.16, traits.hairVolume), mix(1.2, 1.07, traits.hatCrown), face.hat) * 1000) /
    1000
  const height = Math.round(mix(384, 379, face.hat))
  const head = [drawHead, drawFeatures, drawBeard, drawFrontHair, drawGlasses, drawHat]
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 400">',
    `<path d="M0 0H320V400H0Z" fill="${inks.field}"/>`,
    `<g transform="translate(${CENTRE} 400) scale(${scale}) translate(${-CENTRE} -${height})">`,
    drawCoat(face),
    `<g transform="${around}">${drawBackHair(face)}</g>`,
    drawNeck(face),
    drawRuff(face),
    `<g transform="${around}">${head.map((draw) => draw(face)).join('')}</g>`,
    '</g></svg>',
  ].join('')
}

/**
 * The accent of a generated portrait as text colours: its field's hue, as dark or as light as reading needs.
 *
 * @param vector [length]
 * @returns `light` for the light paper #faf8f4, `dark` for the dark paper #171512, each at a contrast of 4.5:1 or more.
 */
export function portraitAccent(vector: Float32Array): { readonly light: string; readonly dark: string } {
  const field = fieldOf(faceTraits(vector))
  return { light: readableOn(field, LIGHT_PAPER, READABLE), dark: readableOn(field, DARK_PAPER, READABLE) }
}
