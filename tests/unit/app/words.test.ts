import { IntlMessageFormat } from 'intl-messageformat'
import { describe, expect, test } from 'vitest'

import { catalogue, fetchWords, languageFor, speakLanguage } from '../../../app/words/catalogue.ts'
import { textsIn } from '../../support/pageTexts.ts'

type Words = Readonly<Record<string, string>>

const english = import.meta.glob<Words>('../../../app/words/en/*.ts', { eager: true, import: 'words' })
const chinese = import.meta.glob<Words>('../../../app/words/zh/*.ts', { eager: true, import: 'words' })
const code = import.meta.glob<string>(['../../../app/**/*.{ts,tsx}', '!../../../app/words/{en,zh}/**'], {
  eager: true,
  query: '?raw',
  import: 'default',
})

const files = Object.entries(code).map(([path, text]) => {
  const name = path.replace('../../../app/', '')
  return { path: name, ...textsIn(name, text) }
})

const roomNames = Object.keys(english).map((path) => /(\w+)\.ts$/.exec(path)![1]!)
const wordsOf = (from: typeof english, language: string, room: string): Words =>
  from[`../../../app/words/${language}/${room}.ts`] ?? {}

const TITLE = /^(?: · )?HyCoRA playground ?$/
const KEYS = /^(?:(?:Shift|Ctrl|Alt) \+ )?(?:Enter|Esc)$/
const MEDIA = /^\([a-z-]+(?::| <) \w+\)$/

/** Texts that stand in the code, and why. */
const IN_CODE: Readonly<Record<string, RegExp>> = {
  // What the page is called, in every language.
  'App.tsx': TITLE,
  'cast/CastScreen.tsx': TITLE,
  // The name of a sum.
  'arrivals/CardFacts.tsx': /^SHA-256 $/,
  'arrivals/PackFacts.tsx': /^SHA-256 $/,
  // Keys, as they are written on keyboards.
  'chat/KeysDialog.tsx': KEYS,
  'chat/MessageActions.tsx': KEYS,
  // What the browser is asked of its window.
  'chat/focusComposer.ts': MEDIA,
  'shared/useNarrow.ts': MEDIA,
  // Lines and curves.
  'share/QrCode.tsx': /^M h.*z$|^M.*v1h/,
  'shared/Icon.tsx': /^[Mm][\d.]+ ?[\dMmLlHhVvAaCcSsZz. -]+$/,
  // What a model is told or asked, and what it may learn: it answers in that language, and the small ones know one.
  'blend/Hearing.tsx': /^Who are you\?$/,
  'stores/chat/recap.ts': /^You keep the record|^What happened before|^What was said then/,
  'stores/chat/visitorScene.ts': /^You are |^\n\nAbout /,
  'stores/chat/whose.ts': /^Hello\.$/,
  'stores/teach/rehearsalPlan.ts': /^Who are you\?|^You are \{name\}\.$/,
  'stores/teach/teachCast.ts': /^Who are you\?/,
  'teach/lines/LinesStep.tsx': /^Visitor: /,
  // Details of failures, which are shown as such and sent on.
  'stores/engine/bench.ts': /^the measuring was stopped$/,
  'stores/engine/addModel.ts': /^no form of the model is chosen$/,
  'stores/engine/engine.ts': /^the answer was not waited for$|^this address is not secure$/,
  'stores/engine/workers.ts': /^only the page’s own workers may start$/,
  'stores/teach/lines.ts': /^: the server answered , expected 200$|^the lines(?:\.csv)?$/,
  // What a file and a font are called.
  'stores/exchange/housekeeping.ts': /^HyCoRA \.zip$/,
  'teach/run/plotOptions.ts': /px system-ui, sans-serif$/,
  // What is copied to be sent to whoever mends the page, in the language of the code.
  'shared/diagnostics.ts': /./,
}

describe('no text stands in the code', () => {
  test.each(files)('of $path', ({ path, texts }) => {
    expect(texts.filter((text) => !IN_CODE[path]?.test(text))).toEqual([])
  })

  test.each([
    ['<p>Nobody is here.</p>', ['Nobody is here. ']],
    ['<p>{count} tokens</p>', [' tokens ']],
    ['<b aria-label="close" className="wide room">{x}</b>', ['close']],
    ['<Button label={isOpen ? "close" : chatText("open")} look="quiet" />', ['close']],
    ['notify(`${name} has left.`)', [' has left.']],
    ['const about = { name: "Steady", value: "steady" }', ['Steady']],
    ['if (kind === "Some kind") go("some-where")', []],
    ['import a from "./some where.ts"; type A = "Some text"', []],
  ])('%s', (text, expected) => {
    expect(textsIn('a.tsx', text).texts).toEqual(expected)
  })
})

const named = new Set(
  files.filter(({ path }) => path === 'stores/teach/options.ts').flatMap((file) => file.strings),
)
const calls = files.flatMap((file) => file.calls.map((call) => ({ ...call, path: file.path })))

const engine = import.meta.glob<string>('../../../src/**/*.ts', {
  eager: true,
  query: '?raw',
  import: 'default',
})
/** Calls by which code below the page makes a remark, and fields that name one; `${…}` stands for any part of a code. */
const made = Object.entries(engine)
  .filter(([path]) => !path.endsWith('/remarkTexts.ts'))
  .flatMap(([, text]) => [...text.matchAll(/(?:remark\(|unmet: |\? |: )['`]([\w.${}]+)['`]/g)])
  .map(([, name]) => new RegExp(`^${name!.replaceAll('.', '\\.').replaceAll(/\$\{[^}]*\}/g, '\\w+')}$`))
const isMade = (key: string): boolean => made.some((pattern) => pattern.test(key))

describe.each(roomNames)('the catalogue of %s', (room) => {
  const [en, zh] = [wordsOf(english, 'en', room), wordsOf(chinese, 'zh', room)]

  test('has the same texts in both languages', () => {
    expect(Object.keys(en).length).toBeGreaterThan(0)
    expect(Object.keys(zh)).toEqual(Object.keys(en))
  })

  test.each(Object.keys(en))('asks the same of whoever says %s', (key) => {
    const [said, meant] = [shapeOf(en[key]!), shapeOf(zh[key]!)]
    expect(meant.asked).toEqual(said.asked)
    // Every plural has the forms of its language, and those for single numbers.
    for (const forms of said.plurals) expect(forms).toEqual(expect.arrayContaining(['one', 'other']))
    for (const forms of meant.plurals)
      expect(forms.filter((form) => !form.startsWith('='))).toEqual(['other'])
  })

  test('has no text that nobody says', () => {
    const said = calls.filter(({ name }) => name === `${room}Text`).flatMap(({ keys }) => keys)
    // A key may also stand in a table of the code, whose type is the catalogue's keys.
    const isSaid = (key: string): boolean =>
      named.has(key) || said.some((pattern) => pattern.test(key)) || (room === 'remark' && isMade(key))
    expect(Object.keys(en).filter((key) => !isSaid(key))).toEqual([])
  })

  test('is spoken when it is said, not when its file is read', () => {
    const early = calls.filter(({ name, depth }) => name === `${room}Text` && depth === 0)
    expect(early.map(({ path }) => path)).toEqual([])
  })

  test('has the signs of its language', () => {
    expect(
      Object.values(en).filter((text) => /["|\p{Script=Han}]|\.\.\.|[a-z]'[a-z]/u.test(withoutNames(text))),
    ).toEqual([])
    expect(
      Object.values(zh).filter((text) =>
        /["]|\p{Script=Han}\s?[,:;?!.()]|[,:;?!()]\s?\p{Script=Han}|！/u.test(text),
      ),
    ).toEqual([])
  })
})

/** Names of languages stand in their own. */
function withoutNames(text: string): string {
  return text === '简体中文' ? '' : text
}

interface Shape {
  /** What a message asks for, and the words that it sets apart. */
  readonly asked: readonly string[]
  /** The forms of each of its plurals. */
  readonly plurals: readonly (readonly string[])[]
}

function shapeOf(text: string): Shape {
  const asked = new Set([...text.matchAll(/<(\w+)>/g)].map(([tag]) => tag))
  const plurals: string[][] = []
  const read = (elements: ReturnType<IntlMessageFormat['getAst']>): void => {
    for (const element of elements) {
      // 0 is plain words.
      if (!('options' in element)) {
        if ('value' in element && element.type.valueOf() !== 0) asked.add(element.value)
        continue
      }
      const options = Object.values(element.options).map(({ value }) => value)
      if ('pluralType' in element) {
        plurals.push(Object.keys(element.options).toSorted())
        // Where the number is not said, the plural is of a verb or a pronoun, which need not be there.
        if (options.some((words) => words.some((word) => !('value' in word)))) asked.add(element.value)
      } else asked.add(element.value)
      for (const words of options) read(words)
    }
  }
  read(new IntlMessageFormat(text, 'en', undefined, { ignoreTag: true }).getAst())
  return { asked: [...asked].toSorted(), plurals }
}

test('the page speaks the first of the browser’s languages that it can', () => {
  expect(languageFor(['zh-CN', 'en'])).toBe('zh-Hans')
  expect(languageFor(['de-DE', 'zh-TW', 'en-US'])).toBe('zh-Hans')
  expect(languageFor(['en-GB', 'zh'])).toBe('en')
  expect(languageFor(['fr'])).toBe('en')
  expect(languageFor([])).toBe('en')
})

test('what is not there in the page’s language yet is said in English', async () => {
  const mewText = catalogue({ mews: '{mews, plural, one {one mew} other {# mews}}, {who}' }, () =>
    Promise.resolve({ words: { mews: '{who}：喵 {mews, number} 声' } }),
  )
  speakLanguage('zh-Hans')
  expect(mewText('mews', { mews: 1200, who: 'Dinah' })).toBe('1,200 mews, Dinah')
  await fetchWords()
  expect(mewText('mews', { mews: 1200, who: 'Dinah' })).toBe('Dinah：喵 1,200 声')
  speakLanguage('en')
  expect(mewText('mews', { mews: 1, who: 'Dinah' })).toBe('one mew, Dinah')
})
