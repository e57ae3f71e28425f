/** A colour in OKLab: `lightness` in [0, 1], `a` green to red, `b` blue to yellow; equal steps look equal. */
export interface Colour {
  readonly lightness: number
  readonly a: number
  readonly b: number
}

/** The colour of a lightness in [0, 1], a chroma (0 is grey, 0.2 is vivid) and a hue in turns. */
export function colourOf(lightness: number, chroma: number, hue: number): Colour {
  const angle = 2 * Math.PI * hue
  return { lightness, a: chroma * Math.cos(angle), b: chroma * Math.sin(angle) }
}

/** The straight line from `from` (amount 0) to `to` (amount 1). */
export function mixColours(from: Colour, to: Colour, amount: number): Colour {
  const mix = (x: number, y: number): number => x + (y - x) * amount
  return { lightness: mix(from.lightness, to.lightness), a: mix(from.a, to.a), b: mix(from.b, to.b) }
}

function encodeChannel(linear: number): number {
  const clipped = Math.min(1, Math.max(0, linear))
  return clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055
}

/**
 * `#rrggbb` of a colour; what sRGB cannot show is clipped channel by channel.
 *
 * Reference: Ottosson, "A perceptual color space for image processing", 2020.
 */
export function hexOf({ lightness, a, b }: Colour): string {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  const channels = [
    4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short,
  ]
  const digits = channels.map((linear) => {
    const byte = Math.round(255 * encodeChannel(linear))
    return byte.toString(16).padStart(2, '0')
  })
  return `#${digits.join('')}`
}

/** WCAG 2.2 relative luminance, in [0, 1], of `#rrggbb`. */
export function luminanceOf(hex: string): number {
  const channel = (first: number): number => {
    const value = Number.parseInt(hex.slice(first, first + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

/** WCAG 2.2 contrast of two `#rrggbb` colours: (L₁ + 0.05) / (L₂ + 0.05), the lighter first; from 1 to 21. */
export function contrastOf(one: string, other: string): number {
  const [darker, lighter] = [luminanceOf(one), luminanceOf(other)].toSorted((x, y) => x - y)
  return ((lighter ?? 0) + 0.05) / ((darker ?? 0) + 0.05)
}

/**
 * The colour nearest in lightness to `colour`, its hue kept, that is readable as text on `paper`.
 *
 * @param ratio the contrast to reach, for instance 4.5.
 */
export function readableOn(colour: Colour, paper: string, ratio: number): string {
  const step = luminanceOf(paper) > 0.18 ? -0.005 : 0.005
  for (let lightness = colour.lightness; lightness >= 0 && lightness <= 1; lightness += step) {
    const hex = hexOf({ ...colour, lightness })
    if (contrastOf(hex, paper) >= ratio) return hex
  }
  return step < 0 ? '#000000' : '#ffffff'
}
