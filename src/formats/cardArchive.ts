import { asHycoraError, check } from '../core/errors.ts'
import type { HycoraError } from '../core/errors.ts'
import { ownField, type JsonRecord } from '../core/json.ts'
import { parseCardJson, readCardRecord } from './cardRecord.ts'
import type { CardFile } from './cardRecord.ts'
import { isChatJson } from './chatFile.ts'
import { normaliseCard } from './cardSpec.ts'
import { cardPathOf, readCharx } from './charx.ts'
import { pictureKind, pictureMime } from './exif.ts'
import { readBackyardArchive } from './otherCharacters.ts'
import { scanZip, zipPaths, type ZipLimits } from './zip.ts'

const LIMITS: ZipLimits = { files: 256, inflatedBytes: 64 * 2 ** 20, totalBytes: 128 * 2 ** 20 }
const DIRECTORY: ZipLimits = { files: 65_534, inflatedBytes: 2 ** 32, totalBytes: 2 ** 40 }
/** Files of an archive that may be a card. */
const MAY_BE_CARD = /\.(?:png|json|charx|webp|jpe?g)$/i
/** What a system leaves beside the files of an archive. */
const LITTER = /(?:^|\/)(?:__MACOSX\/|\.)/
const MOST_LOOKED_AT = 64

/** Reads a file of an archive as a card. */
type ReadInner = (bytes: Uint8Array, name: string) => CardFile

/**
 * The card of an archive: a CHARX, Backyard's archive of a character, or the only card among its files.
 *
 * @param readInner reads such a file.
 * @throws HycoraError `format-invalid` where it holds none, `format-unsupported` where it holds several.
 */
export function readArchiveCard(bytes: Uint8Array, fileName: string, readInner: ReadInner): CardFile {
  const paths = zipPaths(bytes, fileName, DIRECTORY)
  if (cardPathOf(paths) !== null) return charxOrInner(bytes, fileName, readInner)
  return isBackyardArchive(paths) ? readBackyard(bytes, fileName) : onlyCard(bytes, fileName, readInner)
}

/** The card of a CHARX; where that cannot be read, the only other one among its files. */
function charxOrInner(bytes: Uint8Array, fileName: string, readInner: ReadInner): CardFile {
  try {
    return readCharxCard(bytes, fileName)
  } catch (error) {
    const fault = asHycoraError(error, 'format-invalid')
    try {
      const found = onlyCard(bytes, fileName, readInner)
      return { ...found, warnings: [`${fault.message}.`, ...found.warnings] }
    } catch {
      throw fault
    }
  }
}

function readCharxCard(bytes: Uint8Array, fileName: string): CardFile {
  const { cardJson, warnings: lost, ...parts } = readCharx(bytes, fileName)
  const { whole, warnings: read } = parseCardJson(cardJson, `${fileName}: card.json`)
  const found = readCardRecord(whole, fileName, read)
  const { portrait, adapter, assets } = parts.pick(found.card)
  return {
    ...found,
    ...(portrait && { portrait }),
    ...(adapter && { adapter }),
    assets,
    warnings: [...found.warnings, ...lost],
  }
}

/** Whether an archive's paths are those of Backyard's archives (BYAF). */
export function isBackyardArchive(paths: readonly string[]): boolean {
  return (
    paths.includes('manifest.json') && paths.some((path) => /^characters\/[^/]+\/character\.json$/.test(path))
  )
}

/** Backyard's archive: one character, the scenario it plays in, what was said in all of them, and pictures. */
function readBackyard(bytes: Uint8Array, fileName: string): CardFile {
  const { files } = scanZip(bytes, fileName, LIMITS, (path) => path.endsWith('.json'))
  const read = (path: string): JsonRecord => {
    const content = files.get(path)
    check(content, 'format-invalid', () => `${fileName} lacks ${path}`)
    return parseCardJson(content, `${fileName}: ${path}`).whole
  }
  const manifest = read('manifest.json')
  const listed = (key: string, folder: RegExp): readonly string[] => {
    const value = ownField(manifest, key)
    const named = (Array.isArray(value) ? value : []).filter(
      (path) => typeof path === 'string' && files.has(path),
    )
    return named.length > 0 ? named : [...files.keys()].filter((path) => folder.test(path))
  }
  const characters = listed('characters', /^characters\/[^/]+\/character\.json$/)
  const scenarios = listed('scenarios', /^scenarios\/[^/]+\.json$/)
  const character = read(characters[0] ?? '')
  const scenario = scenarios[0] === undefined ? {} : read(scenarios[0])
  const found = readBackyardArchive(character, scenario)
  check(found, 'format-invalid', () => `${fileName}: the character has no name`)
  const { card, spec, warnings } = normaliseCard(found.data, fileName)
  const folder = (characters[0] ?? '').replace(/[^/]*$/, '')
  const [picture] = [...files].filter(
    ([path, content]) => path.startsWith(folder) && kindOf(content) !== null,
  )
  const chats = { character, scenarios: scenarios.map(read) }
  return {
    card,
    original: { manifest, character, scenario },
    spec,
    program: found.program,
    ...(picture && { portrait: { bytes: picture[1], mime: pictureMime(kindOf(picture[1]) ?? 'PNG') } }),
    ...(isChatJson(chats) && { chats }),
    assets: new Map([...files].filter(([path]) => path !== picture?.[0])),
    warnings: [
      ...warnings,
      ...(characters.length > 1
        ? [`The archive holds ${characters.length} characters; the first came in.`]
        : []),
      ...(scenarios.length > 1
        ? [`The archive holds ${scenarios.length} scenarios; the character plays in the first.`]
        : []),
    ],
  }
}

function kindOf(bytes: Uint8Array): string | null {
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50
  return isPng ? 'PNG' : pictureKind(bytes)
}

/** The only card among the files of an archive that is none itself. */
function onlyCard(bytes: Uint8Array, fileName: string, readInner: ReadInner): CardFile {
  const { files } = scanZip(bytes, fileName, LIMITS)
  const paths = [...files.keys()].filter((path) => !LITTER.test(path))
  const cards: (readonly [string, CardFile])[] = []
  const reasons: HycoraError[] = []
  for (const path of paths.filter((one) => MAY_BE_CARD.test(one)).slice(0, MOST_LOOKED_AT)) {
    try {
      cards.push([path, readInner(files.get(path) ?? new Uint8Array(0), path)])
    } catch (error) {
      reasons.push(asHycoraError(error, 'format-invalid'))
    }
  }
  const [only] = cards
  check(only, 'format-invalid', () => {
    const first = paths.slice(0, 3).join(', ')
    const some = paths.length > 3 ? `${first} and ${paths.length - 3} more` : first || 'nothing'
    return `${fileName} is no character card: the archive has no card.json; it holds ${some}`
  })
  check(cards.length === 1, 'format-unsupported', () => {
    return `${fileName} is an archive of ${cards.length} character cards: unpack it and bring them in one by one`
  })
  const [path, card] = only
  const others = [...files].filter(([one]) => one !== path && !LITTER.test(one))
  return {
    ...card,
    assets: new Map([...others, ...card.assets]),
    warnings: [`The card is that of ${path}, which the archive holds.`, ...card.warnings],
  }
}
