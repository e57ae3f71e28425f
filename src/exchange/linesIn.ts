import { exampleJson } from '../cast/cardTexts.ts'
import { check, HycoraError } from '../core/errors.ts'
import { decodeText, withoutFilling } from '../core/text.ts'
import type { DecodedText } from '../core/text.ts'
import { readCard } from '../formats/card.ts'
import type { CharacterCard } from '../formats/card.ts'
import type { Arrival, ArrivingFile } from './arrival.ts'
import { arrive } from './arrive.ts'
import { fileKind } from './fileKind.ts'
import { LIMITS } from './limits.ts'
import { openFile } from './openFile.ts'

async function bytesOf(file: Blob): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer())
}

/** Whether a file is read as the text that it is, not for the characters in it. */
async function isText({ path, file }: ArrivingFile): Promise<boolean> {
  if (file.size === 0 || file.size > LIMITS.characterBytes) return true
  const kind = fileKind(await bytesOf(file), path)
  return kind === 'lines' || kind === 'chat'
}

function cardsIn(arrival: Arrival): readonly CharacterCard[] {
  if (arrival.kind === 'card') return [arrival.card]
  if (arrival.kind !== 'pack') return []
  return arrival.roles.flatMap(({ name, card }) => (card ? [readCard(card, name)] : []))
}

/** A card for each character of a file, as JSON that a data set is read from. */
async function examplesIn(given: ArrivingFile): Promise<string> {
  const { arrivals, refusals } = await arrive([given], { backbone: null })
  const [refusal] = refusals
  if (refusal) throw new HycoraError(refusal.code, refusal.message)
  const isSomebody = arrivals.some(({ kind }) => kind === 'card' || kind === 'pack')
  check(isSomebody, 'format-unsupported', () => `${given.path} holds no character card`)
  const said = arrivals.flatMap(cardsIn).flatMap((card) => exampleJson(card) ?? [])
  check(said.length > 0, 'format-unsupported', () => {
    return `${given.path} holds a character, but no example dialogue that could be learnt`
  })
  return said.join('\n')
}

/**
 * A file as text that a data set is read from: its own, or the example dialogues of the characters in it, whatever program
 * they are of.
 *
 * @throws HycoraError `format-invalid`, `format-unsupported` for what is neither text nor a character.
 */
export async function linesIn(given: ArrivingFile): Promise<DecodedText> {
  if (await isText(given)) return decodeText(withoutFilling(await bytesOf(given.file)), given.path)
  return { text: await examplesIn(given), warning: null }
}

/** As `linesIn`, for lines that are taken whole or not at all. @throws HycoraError as `linesIn`; where nothing can be learnt. */
export async function soundLines(given: ArrivingFile): Promise<DecodedText> {
  const { path, file } = given
  if (file.size <= LIMITS.characterBytes && (await isText(given))) await openFile(await bytesOf(file), path)
  return linesIn(given)
}
