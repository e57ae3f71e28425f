import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { opening, renamedLine, roleLine } from '../../../src/cast/roleLine.ts'

const ORLA = { name: 'Orla', nickname: '', systemPrompt: '', description: '', personality: '', scenario: '' }
const NAMES = { user: 'Mira', character: 'Orla', at: 0 }
const KEEPER = '{{char}} is a lighthouse keeper who collects broken clocks. She hates storms.'
const OWN = 'You are Orla, a lighthouse keeper who collects broken clocks. Speak only as Orla.'

/** The line of a description, without what every line begins and ends with. */
function who(description: string): string {
  const line = roleLine({ ...ORLA, description }, NAMES)
  expect(line).toMatch(/^You are Orla[ .,:].+ Speak only as Orla\.$/)
  return line.slice('You are Orla'.length, -' Speak only as Orla.'.length)
}

describe('the line of a role without an adapter', () => {
  test('says who, of what manner, and no more', () => {
    const personality = 'Exact, and dry rather than warm. Asks for the small fact.'
    expect(roleLine({ ...ORLA, description: KEEPER, personality }, NAMES)).toBe(
      'You are Orla, a lighthouse keeper who collects broken clocks. Exact, and dry rather than warm. Speak only as Orla.',
    )
  })

  test('says what the scenario says of somebody where nothing else does', () => {
    const scenario = '{{char}} is a keeper in a storm.'
    expect(roleLine({ ...ORLA, scenario }, NAMES)).toBe(
      'You are Orla, a keeper in a storm. Speak only as Orla.',
    )
    expect(roleLine({ ...ORLA, scenario: 'A storm.' }, NAMES)).toBe('You are Orla. Speak only as Orla.')
  })

  test('says the name where the card says nothing else', () => {
    expect(roleLine(ORLA, NAMES)).toBe('You are Orla. Speak only as Orla.')
  })

  test('ends a long sentence at a comma, else between words', () => {
    const words = Array.from({ length: 80 }, () => 'brave').join(' ')
    expect(who(`{{char}} is a knight, lean and dry, ${words}.`)).toBe(', a knight, lean and dry.')
    expect(who(words)).toMatch(/^\.(?: brave){40}\.$/)
  })

  test('stays short for every card of the cast', () => {
    const path = resolve(import.meta.dirname, '../../../public/cast/cards.json')
    const cards = JSON.parse(readFileSync(path, 'utf8')) as Record<
      string,
      { card: { name: string; description: string; personality: string } }
    >
    for (const { card } of Object.values(cards)) {
      const line = roleLine({ ...ORLA, ...card }, { user: 'Mira', character: card.name })
      expect(line).toMatch(/^You are .+[.,] .+\. Speak only as .+\.$/)
      expect(line.length).toBeLessThan(400)
    }
  })
})

describe('a system prompt of the card', () => {
  test.each([
    [
      'follows who it is',
      'Write two paragraphs. Never speak for {{user}}.',
      `${OWN}\nWrite two paragraphs. Never speak for Mira.`,
    ],
    ['takes the page’s own line in', '{{ Original }}\nBe brief.', `${OWN}\nBe brief.`],
    ['may be that line alone', '{{original}}', OWN],
    ['may be a comment', '{{// nothing}}', OWN],
    ['may be blank', ' \n', OWN],
  ])('%s', (_, systemPrompt, line) => {
    expect(roleLine({ ...ORLA, description: KEEPER, systemPrompt }, NAMES)).toBe(line)
  })
})

describe('a description', () => {
  test.each([
    [
      'a time',
      'A keeper who rises at 5:30 each morning and lights the lamp. She hates storms.',
      '. A keeper who rises at 5:30 each morning and lights the lamp.',
    ],
    ['a colon and a semicolon', 'A keeper: dry; patient. Old.', '. A keeper: dry; patient.'],
    [
      'titles and other abbreviations',
      'An old friend of Prof. Watson, Capt. J. S. Hart, Ph.D., of No. 5 St. Albans Rd. in the U.S. navy! Limps.',
      '. An old friend of Prof. Watson, Capt. J. S. Hart, Ph.D., of No. 5 St. Albans Rd. in the U.S. navy.',
    ],
    [
      'somebody’s words',
      'A woman who says "Go home!" to all, and means it. Old.',
      '. A woman who says "Go home!" to all, and means it.',
    ],
    [
      'a macro that is not known',
      '{{char}} keeps {{getvar::pets. All}} in the loft. Old.',
      '. Orla keeps {{getvar::pets. All}} in the loft.',
    ],
    [
      'lines that end anywhere',
      'Orla is a keeper who\ncollects clocks and hates\nstorms. She is old.',
      ', a keeper who collects clocks and hates storms.',
    ],
    ['another name behind it', 'Orla Quay is a keeper. Old.', ' Quay, a keeper.'],
    ['marks of stress', '**Orla** is a *keeper*. Old.', ', a keeper.'],
    [
      'the visitor first',
      '{{user}} is lost. {{char}} is the keeper who finds {{user}}.',
      ', the keeper who finds Mira.',
    ],
    [
      'a word to the model before it',
      '[Write as {{char}} would, in a chat.]\n\nOrla is a keeper.',
      ', a keeper.',
    ],
    [
      'brackets alone',
      '[Orla is a keeper of many old clocks in a tall tower.]',
      ', a keeper of many old clocks in a tall tower.',
    ],
    ['an address', 'You are {{char}}, a keeper. You hate storms.', ', a keeper.'],
    ['small letters', 'orla is a keeper. she hates storms.', '. orla is a keeper.'],
    [
      'marks that end sentences elsewhere',
      '{{char}}是一位看守人，喜欢钟。她讨厌暴风雨。',
      '. Orla是一位看守人，喜欢钟。',
    ],
  ])('with %s is cut at the end of its first sentence', (_, description, line) => {
    expect(who(description)).toBe(line)
  })

  test('has its macros filled before it is cut', () => {
    const description = '{{char}} keeps {{random:a cat. Yes,a dog. Yes}}. {{comment: hidden}}'
    const lines = Array.from({ length: 32 }, (_, seed) =>
      roleLine({ ...ORLA, description }, { ...NAMES, seed }),
    )
    expect(new Set(lines)).toEqual(
      new Set(['cat', 'dog'].map((pet) => `You are Orla. Orla keeps a ${pet}. Speak only as Orla.`)),
    )
  })

  test.each([
    [
      'a profile',
      'Name: Orla\nAge: 54\nOccupation: lighthouse keeper\nLikes: broken clocks, tea\n',
      '. Occupation: lighthouse keeper. Age: 54. Likes: broken clocks, tea.',
    ],
    ['an object of some language', 'Orla = {\n job: keeper;\n age: 54;\n}', '. Job: keeper. Age: 54.'],
    [
      'a picture and a link',
      '![her](https://x.y/z.png)\n<img src="a">{{char}} is [a keeper](https://x.y).',
      ', a keeper.',
    ],
    ['a profile in a row', 'Name: Orla. Age: 54. Job: keeper.', '. Job: keeper. Age: 54.'],
    ['a profile with bars', 'Name: Orla | Age: 54 | Job: keeper', '. Job: keeper. Age: 54.'],
    [
      'a profile before prose',
      'Name: Orla Quay\nAge: 54\n\n{{char}} is a keeper of clocks.',
      ', a keeper of clocks. Age: 54. Name: Orla Quay.',
    ],
    [
      'headings',
      '# Basics\n**Full name**: Orla Quay\n**Age**: 54\n## Looks\nGrey hair.',
      '. Age: 54. Full name: Orla Quay. Looks: Grey hair.',
    ],
    [
      'sections',
      '[Basics]\nName: Orla\nAge: 54\n\n[Backstory]\nShe was born in Port Ansel. Long ago.',
      '. Age: 54. Backstory: She was born in Port Ansel.',
    ],
    [
      'bullets',
      '## Orla\n- **Age:** 54\n- **Job:** keeper\n### Personality\n- dry\n- patient',
      '. Job: keeper. Age: 54. Personality: dry, patient.',
    ],
    [
      'W++',
      '[character("Orla")\n{\nOccupation("lighthouse keeper")\nMind("dry" + "patient")\n}]',
      '. Occupation: lighthouse keeper. Mind: dry, patient.',
    ],
    ['PList', "[Orla: keeper, dry; Orla's clothes: oilskin, boots; hobbies: clocks]", ': keeper, dry.'],
    [
      'PList of parts',
      '[Orla\'s Personality= "dry", "patient"]\n[Orla\'s body= "54 years"]',
      '. Personality: dry, patient. Body: 54 years.',
    ],
    [
      'Ali:Chat',
      '{{user}}: Your life?\n{{char}}: *She shrugs.* "I was born in Port Ansel. I keep the light."\n\n{{user}}: Looks?\n{{char}}: "Grey."\n\n[Tags: sea; Genre: slice of life]',
      '. In your words: I was born in Port Ansel.',
    ],
    [
      'Ali:Chat behind prose',
      '{{char}} is a keeper of clocks.\n\n{{user}}: Your life?\n{{char}}: "Short."',
      ', a keeper of clocks.',
    ],
    [
      'its name before a colon',
      'Orla: a lighthouse keeper who collects clocks.',
      ', a lighthouse keeper who collects clocks.',
    ],
    ['equals signs', 'Orla = {lighthouse keeper + dry}\nAge = 54', ': lighthouse keeper, dry.'],
    [
      'JSON',
      '{"name":"Orla","occupation":"keeper","likes":["tea","clocks"]}',
      '. Occupation: keeper. Likes: tea, clocks.',
    ],
    [
      'YAML',
      'name: Orla\noccupation: keeper\ntraits:\n  - dry\n  - patient\nbackground: >\n  Born in Port Ansel',
      '. Occupation: keeper. Traits: dry, patient. Background: Born in Port Ansel.',
    ],
    ['tags', '<orla>\n<b>Occupation:</b> keeper<br>Age: 54\n</orla>', '. Occupation: keeper. Age: 54.'],
  ])('in the form of %s says who it is', (_, description, line) => {
    expect(who(description)).toBe(line)
  })

  test('of whatever text gives a line without an end', () => {
    const part = fc.constantFrom(
      '"',
      '(',
      ')',
      '[',
      ']',
      '{',
      '+',
      ':',
      ';',
      '\n',
      '# ',
      '- ',
      '**',
      ' = ',
      'Orla',
      'is a ',
      '. ',
      '<',
      '>',
      '{{user}}:',
      '-',
      '--',
      ' ',
      'Age',
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const line = roleLine(
          { ...ORLA, description: parts.join(''), personality: parts.toReversed().join('') },
          NAMES,
        )
        expect(line.startsWith('You are ')).toBe(true)
        expect(line.endsWith('Speak only as Orla.')).toBe(true)
        expect(line.length).toBeLessThan(1000)
      }),
      { seed: 20261129, numRuns: 500 },
    )
    for (const piece of ['"a" + ', "'a'", '[a:', '-', 'a ', '{{', 'Key: ', '<!--', '(']) {
      expect(roleLine({ ...ORLA, description: piece.repeat(30_000) }, NAMES).length).toBeLessThan(2000)
    }
  })
})

test('a tile has what a description says first', () => {
  expect(opening({ ...ORLA, description: 'A girl. She is curious.' }, 140)).toBe('A girl.')
  expect(opening({ ...ORLA, description: 'Name: Orla\nAge: 54\nJob: keeper' }, 140)).toBe(
    'Job: keeper. Age: 54.',
  )
})

test.each([
  ['Al', 'You are Al. Also, Alice knows Al’s ways.', 'You are Jo. Also, Alice knows Jo’s ways.'],
  [
    'Sherlock_Holmes',
    'You are Sherlock Holmes, not Sherlock_Holmes_2.',
    'You are Jo, not Sherlock_Holmes_2.',
  ],
  ['A.(b)$&-[c]', 'You are A.(b)$&-[c], no Ab.', 'You are Jo, no Ab.'],
  ['Zoë', 'Zoë and Zoëlle.', 'Jo and Zoëlle.'],
  ['_', 'You are _.', 'You are Jo.'],
])('the line of %s as another name’s leaves other words alone', (from, line, renamed) => {
  expect(renamedLine(line, from, 'Jo')).toBe(renamed)
  expect(renamedLine(line, from, '$& $$')).toBe(renamed.replaceAll('Jo', () => '$& $$'))
})
