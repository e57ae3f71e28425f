import { CENTRE, EYE_LINE, curve, disc, eyeCentre, line, mix, rise, shape, show } from './pen.ts'
import type { Face, Point } from './pen.ts'

const SKULL_TOP = 92

/** One side of the face from temple to chin; `side` is −1 on the viewer's left, 1 on the right. */
function outline({ width, jaw, chin, chinLine, turn }: Face, side: number): readonly Point[] {
  const x = (half: number, shift: number): number => CENTRE + side * half + shift * turn
  return [
    [x(width * 0.9, 0), 116],
    [x(width * 1.02, 0), 140],
    [x(width * 1.02, 0), 166],
    [x(width, 0), EYE_LINE],
    [x(width * 0.98, 0), 210],
    [x(jaw + 3, 4), chinLine - 58],
    [x(jaw - 3, 6), chinLine - 36],
    [x(jaw - 11, 7), chinLine - 12],
    [x(chin + 13, 9), chinLine],
    [x(chin, 10), chinLine],
  ]
}

/** Skull, ears, the shade of the right side and the cheek. */
export function drawHead(face: Face): string {
  const { inks, width, turn, chinLine, traits, axis } = face
  const right = outline(face, 1)
  const up = outline(face, -1)
    .toReversed()
    .map((point) => show(...point))
  const crown = show(CENTRE - width * 0.8, 82, CENTRE + width * 0.8, 82, ...(right[0] ?? []))
  const edge = CENTRE + width * mix(0.3, 0.78, (turn + 1) / 2)
  const shade =
    `C${show(edge - 16, chinLine - 4, edge - 30, 246, edge - 18, 224)}` +
    `C${show(edge - 10, 208, edge + 4, 200, edge + 4, 178)}C${show(edge + 4, 150, edge, 130, edge - 6, 104)}Z`
  const ear = (side: number): string => {
    const reach = 9 - 9 * side * turn
    const x = CENTRE + side * (width - 3)
    const rim = show(x + side * reach, 162, x + side * (reach + 8), 176, x + side * (reach + 4), 192)
    const lobe = show(x + side * reach, 210, x + side * 4, 218, x - side * 2, 213)
    return shape(`M${show(x, 178)}C${rim}C${lobe}Z`, inks.skin)
  }
  return [
    ear(-1),
    ear(1),
    shape(`${curve(right)}L${up[0]}C${up.slice(1).join(' ')}C${crown}Z`, inks.skin),
    shape(`${curve(right)}${shade}`, inks.skinShade),
    disc([axis - 34, 218], 10 * rise(traits.cheek, 0.6, 1), inks.skinShade),
  ].join('')
}

/** The hair behind head and shoulders. */
export function drawBackHair({ inks, width, volume, traits }: Face): string {
  const half = width + volume * 0.8 - 2
  const long = rise(traits.hairLength, 0.35, 0.95)
  const bottom = mix(198, 352, long)
  const foot = mix(width * 0.8, half + mix(-10, 22, traits.hairWave), long)
  const top = SKULL_TOP - volume
  const drop = bottom - 176
  const side = (sign: number): readonly Point[] => [
    [CENTRE + sign * foot, bottom],
    [CENTRE + sign * (half + long * mix(0, 18, traits.hairWave)), 176 + drop * 0.72],
    [CENTRE + sign * (half - long * mix(8, 0, traits.hairWave)), 176 + drop * 0.34],
    [CENTRE + sign * half, 176],
    [CENTRE + sign * half, 120],
    [CENTRE + sign * half * 0.68, top],
    [CENTRE, top],
  ]
  const down = side(1).toReversed().slice(1)
  const sole = show(CENTRE + foot * 0.6, bottom + 14, CENTRE - foot * 0.6, bottom + 14, CENTRE - foot, bottom)
  return shape(`${curve([...side(-1), ...down])}C${sole}Z`, inks.hair)
}

/** The hair over the forehead, parted where the hairline is highest. */
export function drawFrontHair({ inks, width, volume, hairline, traits }: Face): string {
  const half = width + volume * 0.8
  const top = SKULL_TOP - volume
  const part = CENTRE + width * mix(-0.62, 0.62, traits.hairParting)
  const dip = mix(4, 20, traits.hairWave)
  const outer: readonly Point[] = [
    [CENTRE - half, 178],
    [CENTRE - half, 120],
    [CENTRE - half * 0.68, top],
    [CENTRE, top],
    [CENTRE + half * 0.68, top],
    [CENTRE + half, 120],
    [CENTRE + half, 178],
  ]
  const temple = (sign: number): string => show(CENTRE + sign * (width - 5), 182)
  const inner = [
    `C${show(CENTRE + width - 4, 160, CENTRE + width * 0.92, hairline + dip + 8, CENTRE + width * 0.8, hairline + dip)}`,
    `C${show(CENTRE + width * 0.5, hairline + dip * 0.9, part + 18, hairline + dip * 0.6, part, hairline - 6)}`,
    `C${show(part - 18, hairline + dip * 0.6, CENTRE - width * 0.5, hairline + dip * 0.9, CENTRE - width * 0.8, hairline + dip)}`,
    `C${show(CENTRE - width * 0.92, hairline + dip + 8, CENTRE - width + 4, 160)} ${temple(-1)}`,
  ]
  const strand = `M${show(part, hairline - 10)}C${show(part + 4, top + 16, CENTRE + half * 0.5, top + 14, CENTRE + half * 0.74, 122)}`
  const locks = 3.2 * rise(volume, 6, 14)
  return [
    shape(`${curve(outer)}L${temple(1)}${inner.join('')}Z`, inks.hair),
    locks > 0 ? line(strand, inks.brow, locks) : '',
  ].join('')
}

function drawEye(face: Face, side: number): string {
  const { inks, turn, lid: h, traits } = face
  const w = face.eye * (1 - 0.14 * side * turn)
  const x = eyeCentre(face, side)
  const brow = -h - 14
  const pitch = mix(-7, 7, traits.browAngle)
  const weight = mix(4, 11, traits.browWeight)
  const [inner, outer] = [-side * w * 0.85, side * w * 1.3]
  const arch = brow - 7
  const browEdge = show(inner * 0.2, arch, outer * 0.6, arch, outer, brow - pitch * 0.4 + 3)
  const browBack = show(
    outer * 0.55,
    arch + weight * 0.9,
    inner * 0.2,
    arch + weight,
    inner,
    brow + pitch + weight * 0.8,
  )
  const lidTop = show(-0.55 * w, -h - 7, 0.6 * w, -h - 7, w + 4, 0)
  const lidUnder = show(0.6 * w, 0.5 - h, -0.5 * w, 0.5 - h, -w - 4, 1)
  const parts = [
    shape(
      `M${show(-w, -3)}C${show(-0.6 * w, -h - 14, 0.6 * w, -h - 14, w, -3)}C${show(0.5 * w, -h, -0.5 * w, -h, -w, -3)}Z`,
      inks.skinShade,
    ),
    shape(
      `M${show(-w, 0)}C${show(-0.55 * w, -h, 0.55 * w, -h, w, 0)}C${show(0.55 * w, h * 0.75, -0.55 * w, h * 0.75, -w, 0)}Z`,
      inks.paper,
    ),
    disc([-1.6 * turn, -0.5], mix(5.4, 6.8, traits.eyeSize), inks.dark),
    disc([-1.6 * turn - 2, -2.5], 1.8, inks.paper),
    shape(`M${show(-w - 4, 1)}C${lidTop}C${lidUnder}Z`, inks.dark),
    shape(`M${show(inner, brow + pitch)}C${browEdge}C${browBack}Z`, inks.brow),
    line(
      `M${show(-0.6 * w, h + 4)}Q${show(0, h + 8, 0.6 * w, h + 4)}`,
      inks.skinShade,
      3 * rise(traits.age, 0.5, 0.85),
    ),
  ]
  return `<g transform="translate(${show(x, EYE_LINE)})">${parts.join('')}</g>`
}

function drawNose({ inks, axis, turn, noseLine: y, traits }: Face): string {
  const w = mix(10, 18, traits.noseWidth)
  const tip = axis + 13 * turn
  const bridge = axis - 1
  const data = [
    `M${show(bridge + 4, 164)}`,
    `C${show(bridge + 4, 186, tip + w * 0.5, y - 28, tip + w * 0.72, y - 11)}`,
    `C${show(tip + w, y + 3, tip + w * 0.5, y + 11, tip, y + 10)}`,
    `C${show(tip - w * 0.7, y + 11, tip - w, y + 5, tip - w * 1.15, y - 3)}`,
    `C${show(tip - w * 0.5, y + 3, tip, y + 1, tip + w * 0.1, y - 7)}`,
    `C${show(tip + w * 0.2, y - 20, bridge - 5, 190, bridge - 6, 172)}Z`,
  ]
  return shape(data.join(''), inks.skinShade)
}

function drawMouth({ inks, axis, turn, mouthLine: y, traits }: Face): string {
  const x = axis + 8 * turn
  const w = mix(15, 26, traits.mouthWidth)
  const smile = mix(-3.5, 7, traits.mouthCurve)
  const open = 11 * rise(traits.mouthOpening, 0.55, 1)
  const upper = show(x - w * 0.4, y + smile * 0.3, x + w * 0.4, y + smile * 0.3, x + w, y - smile)
  const under = y + 5 + open + smile * 0.6
  const lower = show(x + w * 0.45, under, x - w * 0.45, under, x - w, y - smile)
  const teeth = show(
    x + w * 0.4,
    y + smile * 0.3 + open * 0.5,
    x - w * 0.4,
    y + smile * 0.3 + open * 0.5,
    x - w * 0.8,
    y - smile * 0.6,
  )
  const lip = under - open * 0.2 + 7
  return [
    shape(`M${show(x - w, y - smile)}C${upper}C${lower}Z`, inks.dark),
    open > 0
      ? shape(
          `M${show(x - w * 0.8, y - smile * 0.6)}C${show(x - w * 0.4, y + smile * 0.3, x + w * 0.4, y + smile * 0.3, x + w * 0.8, y - smile * 0.6)}C${teeth}Z`,
          inks.paper,
        )
      : '',
    line(`M${show(x - w * 0.4, lip)}Q${show(x, lip + 3, x + w * 0.4, lip)}`, inks.skinShade, 3.4),
  ].join('')
}

/** Eyes, brows, nose, mouth and the lines of age. */
export function drawFeatures(face: Face): string {
  const { inks, axis, turn, noseLine, mouthLine, traits } = face
  const age = 3.2 * rise(traits.age, 0.55, 0.95)
  const fold = axis + 8 * turn - mix(21, 31, traits.mouthWidth)
  const lines =
    `M${show(axis - 24, 146)}Q${show(axis, 140, axis + 24, 146)}` +
    `M${show(fold + 6, noseLine + 6)}Q${show(fold - 3, mouthLine - 8, fold - 2, mouthLine + 4)}`
  return [
    age > 0 ? line(lines, inks.skinShade, age) : '',
    drawEye(face, -1),
    drawEye(face, 1),
    drawNose(face),
    drawMouth(face),
  ].join('')
}

/** Points as path data, to follow a command. */
function chain(points: readonly Point[]): string {
  return points.map((point) => show(...point)).join(' ')
}

/** How far each point of the jaw's outline yields to the beard: inwards to the lip, and downwards. */
const BEARD_INWARDS = [0.05, 0.12, 0.2, 0.26, 0.36, 0.6, 0.8]
const BEARD_DOWNWARDS = [0, 0, 0.12, 0.3, 0.65, 1, 1]

/** Beard and moustache; both grow out of nothing. */
export function drawBeard(face: Face): string {
  const { inks, axis, turn, mouthLine, traits } = face
  const beard = rise(traits.beard, 0.5, 0.95)
  const lip: Point = [axis + 8 * turn, mouthLine + 17]
  const side = (sign: number): readonly Point[] => outline(face, sign).slice(3)
  const outer = (sign: number): readonly Point[] =>
    side(sign).map(([x, y], i) => [x + sign * 3 * beard, y + 58 * beard * beard * (BEARD_DOWNWARDS[i] ?? 0)])
  const inner = (sign: number): readonly Point[] =>
    side(sign).map(([x, y], i) => {
      const amount = Math.min(1, beard * 1.15) * (BEARD_INWARDS[i] ?? 0)
      return [mix(x, lip[0], amount), mix(y, lip[1], amount)]
    })
  const [start, ...rest] = inner(-1).toReversed()
  const data =
    `${curve(outer(-1))}L${chain(outer(1).slice(-1))}C${chain(outer(1).toReversed().slice(1))}` +
    `L${chain(inner(1).slice(0, 1))}C${chain(inner(1).slice(1))}L${show(...(start ?? []))}C${chain(rest)}Z`
  const size = rise(traits.moustache, 0.55, 0.95)
  const curl = mix(8, -10, traits.mouthCurve)
  const half = (sign: number): string =>
    `C${show(sign * 8, -12, sign * 22, -9, sign * 29, -1)}C${show(sign * 35, 5, sign * 42, curl * 0.5 + 4, sign * 46, curl)}` +
    `C${show(sign * 46, curl + 12, sign * 38, 13, sign * 26, 8)}C${show(sign * 16, 3, sign * 6, 2, 0, -1)}`
  const place = `translate(${show(axis + 9 * turn, mouthLine - 6)}) scale(${Math.round(size * 92) / 100})`
  return [
    beard > 0 ? shape(data, inks.hair) : '',
    size > 0 ? `<g transform="${place}">${shape(`M0 -6${half(-1)}L0 -6${half(1)}Z`, inks.hair)}</g>` : '',
  ].join('')
}
