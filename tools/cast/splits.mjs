// That nothing which is held out is heard in training.
import { normalise, words } from './text.mjs'

/** What visitors say in a row. */
const saidBy = ({ messages }) => messages.filter((_, index) => index % 2 === 0).map(({ content }) => content)

/** What everybody is asked, and who holds it out: questions of the split test, and the last wordings of the others. */
function heldOutOf(cast, intents) {
  const held = new Map()
  const hold = (text, where) => {
    const key = normalise(text)
    if (!held.has(key)) held.set(key, where)
  }
  for (const { id, split, wordings } of intents)
    for (const text of split === 'test' ? wordings : wordings.slice(-2)) hold(text, `intents.json, "${id}"`)
  for (const { role, items, scenes } of cast) {
    for (const { id, q, held: count, split, isShared } of items)
      for (const text of isShared ? [] : split === 'test' ? q : q.slice(-count))
        hold(text, `${role}, "${id}"`)
    // A talk that is held out may begin with a known question: what follows is new.
    for (const row of scenes) if (row.split === 'test') hold(row.messages[0].content, `${role}, "${row.id}"`)
  }
  return held
}

/**
 * Nothing held out is said by a visitor in anything that is trained, in any character. A single word ("why?") is what
 * people say everywhere, so it is not asked of it.
 */
export function checkSplits(cast, intents, further) {
  const held = heldOutOf(cast, intents)
  const check = (text, fault) => {
    const where = words(text).length > 1 ? held.get(normalise(text)) : undefined
    if (where !== undefined) fault(`trains on ${JSON.stringify(text)}, which is held out (${where})`)
  }
  const [first] = cast
  for (const { split, wordings, ways = [] } of intents)
    if (split === 'train')
      for (const text of [...wordings.slice(0, -2), ...ways])
        check(text, (fact) => first.fault('shared.jsonl', `every character ${fact}`))
  for (const { wordings } of further)
    for (const text of wordings)
      check(text, (fact) => first.fault('further.jsonl', `every character ${fact}`))
  for (const { items, talks, scenes } of cast) {
    for (const { q, ways = [], held: count, split, isShared, fault } of items)
      if (!isShared && split === 'train')
        for (const text of [...q.slice(0, -count), ...ways]) check(text, fault)
    for (const row of [...talks, ...scenes])
      if (row.split === 'train') for (const text of saidBy(row)) check(text, row.fault)
  }
}
