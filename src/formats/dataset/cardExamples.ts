import { HycoraError } from '../../core/errors.ts'
import { readCard } from '../card.ts'
import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import type { DialogueCollector } from './reading.ts'
import { addScript } from './script.ts'

/** Whether a JSON object is a character card. */
export function isCard(record: JsonRecord): boolean {
  const data = ownField(record, 'data')
  return Object.hasOwn(record, 'mes_example') || (isJsonRecord(data) && Object.hasOwn(data, 'mes_example'))
}

/** Reads a card's example dialogue; every line of it counts as the card's own. */
export function addCardExamples(
  record: JsonRecord,
  line: number,
  fileName: string,
  into: DialogueCollector,
): void {
  try {
    const { name, nickname, exampleMessages } = readCard(record)
    if (exampleMessages.trim() === '') {
      into.reject(line, 'the card has no example dialogue')
      return
    }
    const macros = nickname === '' ? exampleMessages : exampleMessages.replaceAll(`${nickname}:`, '{{char}}:')
    addScript(macros, { roleName: name }, fileName, into, () => line)
  } catch (error) {
    if (!(error instanceof HycoraError)) throw error
    into.reject(line, error.message)
  }
}
