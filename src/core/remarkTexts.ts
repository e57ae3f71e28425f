/**
 * What is told of a prompt and of what goes into it, by code, in English; `{…}` stands for a value. The page has the same in
 * the languages that it speaks.
 */
export const REMARKS = {
  'part.cards': 'everybody’s cards',
  'part.scene': 'the scene',
  'part.persona': 'what is said of you',
  'part.memory': 'what is to be kept in mind',
  'part.recap': 'what happened so far',
  'part.book': '{name}',
  'part.book.one': '{name} (one entry)',
  'part.book.entries': '{name} ({entries} entries)',
  'part.depthPrompt': 'the character’s note',
  'part.authorsNote': 'your note',
  'part.postHistory': 'the card’s last instructions',
  'room.system': 'The text before the chat is too long: its end is left out.',
  'room.asides': 'There is no room for what goes among the messages.',
  'room.examples': 'There is no room for the example dialogue.',
  'room.examples.end': 'There is no room for the end of the example dialogue.',
  'room.scenario': 'There is no room for the scenario.',
  'room.scenario.end': 'There is no room for the end of the scenario.',
  'room.personality': 'There is no room for the personality.',
  'room.personality.end': 'There is no room for the end of the personality.',
  'room.recap': 'There is no room for the summary of what happened.',
  'room.recap.end': 'There is no room for the end of the summary of what happened.',
  'room.persona': 'There is no room for the description of you.',
  'room.persona.end': 'There is no room for the end of the description of you.',
  'room.description': 'There is no room for the description.',
  'room.description.end': 'There is no room for the end of the description.',
  'room.depthPrompt': 'There is no room for the character’s note.',
  'room.authorsNote': 'There is no room for your note.',
  'room.postHistory': 'There is no room for the card’s last instructions.',
  'where.before': 'before the character',
  'where.after': 'after the character',
  'where.beforeDescription': 'before the description',
  'where.afterDescription': 'after the description',
  'where.personality': 'with the personality',
  'where.scenario': 'with the scenario',
  'where.beforeExamples': 'before the examples',
  'where.afterExamples': 'after the examples',
  'where.aboveNote': 'above the note',
  'where.belowNote': 'below the note',
  'where.outlet': 'nowhere',
  'where.depth': 'among the messages',
  'fired.always': 'always',
  'fired.stays': 'it stays for a while',
  'fired.said': '“{key}” was said',
  'fired.told': '“{key}”, of which “{teller}” tells',
  'passed.faint': 'its keys say too little',
  'passed.surplus': 'others of its kind are called by more',
  'passed.group': 'another of its group is there',
  'passed.chance': 'its chance of {probability} % did not come up',
  'passed.yields': 'the chat needs the room',
  'passed.book': 'it has {tokens} tokens, and its book may have {most}',
  'passed.budget': 'it has {tokens} tokens, and there is no room',
  'passed.asides': 'there is no room among the messages',
  'passed.outlet': 'it goes to an outlet, of which there is none here',
  'passed.noNote': 'this chat has no note',
  'keys.budget': 'Not all keys could be looked for: together they take too long.',
  'keys.slow': 'The key “{key}” takes too long to look for.',
  'keys.refused': 'The key “{key}” is not looked for: {reason}.',
  'lore.tooMany': 'Of {entries} entries the first {most} are read.',
  'lore.packed': 'Its packed entries are broken, and left out.',
  'lore.decorator': '{decorator} of “{title}” is not known here.',
  'lore.vectorized': '“{title}” is looked for by likeness elsewhere, and by its keys alone here.',
  'lore.outlet': '“{title}” goes to an outlet, of which there is none here.',
  'lore.automation': '“{title}” starts a script elsewhere, and none here.',
} as const

/** What each of what is told is about. */
export type RemarkCode = keyof typeof REMARKS

/** A remark in English. */
export function inEnglish({
  code,
  values,
}: {
  readonly code: RemarkCode
  readonly values: Readonly<Record<string, string | number>>
}): string {
  return REMARKS[code].replaceAll(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place))
}
