import { afterEach, describe, expect, test } from 'vitest'

import index from '../../../public/models/index.json' with { type: 'json' }
import { fetchWords, speakLanguage } from '../../../app/words/catalogue.ts'
import { detailText } from '../../../app/words/details.ts'
import { words } from '../../../app/words/zh/details.ts'
import { allTextsIn, detailsIn } from '../../support/errorDetails.ts'

const code = Object.entries(
  import.meta.glob<string>(['../../../{src,app}/**/*.{ts,tsx}', '!../../../app/words/**'], {
    eager: true,
    query: '?raw',
    import: 'default',
  }),
).map(([path, text]) => ({ path: path.replace('../../../', ''), text }))

/** What runs at a command line alone. */
const ELSEWHERE = /^src\/(?:cli|evaluate)\//
/** Mistakes of the code: whoever mends it reads them. */
const OURS = /^src\/kernels\//

/** Of a template that has no words of its own nothing is to be said. */
const hasWords = (detail: string): boolean => /\p{L}/u.test(detail.replaceAll(/\{\d\}/g, ''))

const thrown = code
  .filter(({ path }) => !ELSEWHERE.test(path) && !OURS.test(path))
  .flatMap(({ path, text }) => detailsIn(path, text))
  .filter(({ code: errorCode, detail }) => errorCode !== 'shape-mismatch' && hasWords(detail))

/** What puts files and their readers into words, and reads them; what runs of training tell is told there too. */
const TELLS = /^src\/(?:formats|exchange|train\/run)\/|^src\/core\/text\.ts$/
/** Texts that are written into files, names, and lists of keys: nobody is told them. */
const UNTOLD: Readonly<Record<string, RegExp>> = {
  'src/exchange/trainingKit.ts': /./s,
  'src/formats/peft.ts': /^---\n|^It was trained with|^\nIt fits/,
  'src/formats/otherWeights.ts': /^python -c/,
  'src/formats/chatFile.ts': /^text generation web UI$/,
  'src/formats/otherCharacters.ts': /^text generation web UI$/,
  'src/formats/lore/loreFile.ts': /^Character Card V3$/,
  'src/train/run/provenance.ts': /^nats/,
  'src/formats/dataset/logRows.ts': /^(?:conversation_id|thread) /,
  'src/formats/dataset/records.ts': /^(?:instruction|request|output|bot_message|character) /,
  'src/formats/dataset/stamped.ts': /^\(\?:/,
  'src/formats/dataset/words.ts': /^tool/,
}

/** Whether words stand in a text as in a sentence, or in a part of one. */
const readsLikeSentence = (text: string): boolean =>
  /(?:\p{L}+\P{L}* ){2}.*\p{L}/su.test(text.replaceAll(/\{\d\}/g, '_'))

const told = code
  .filter(({ path }) => TELLS.test(path))
  .flatMap(({ path, text }) =>
    allTextsIn(path, text)
      .filter((one) => readsLikeSentence(one) && !UNTOLD[path]?.test(one))
      .map((one) => ({ path, detail: one })),
  )

const served = index.map(({ description }) => description)

const valuesOf = (text: string): Set<string> => new Set(text.match(/\{\d\}/g))

afterEach(() => speakLanguage('en'))

async function inChinese(detail: string): Promise<string> {
  await fetchWords('zh-Hans')
  speakLanguage('zh-Hans')
  return detailText(detail)
}

describe('the details of errors', () => {
  test('are known in Chinese, all that a visitor can meet', () => {
    expect(thrown.length).toBeGreaterThan(400)
    const missing = thrown.filter(({ detail }) => words[detail] === undefined)
    expect(missing.map(({ path, detail }) => `${path}: ${detail}`)).toEqual([])
    expect(served.filter((text) => words[text] === undefined)).toEqual([])
  })

  test('and so is all that is told of files and runs', () => {
    expect(told.length).toBeGreaterThan(400)
    const missing = told.filter(({ detail }) => words[detail] === undefined)
    expect(missing.map(({ path, detail }) => `${path}: ${detail}`)).toEqual([])
  })

  test('and none that nobody says', () => {
    const said = new Set([...served, ...code.flatMap(({ path, text }) => allTextsIn(path, text))])
    expect(Object.keys(words).filter((detail) => !said.has(detail))).toEqual([])
  })

  test.each(Object.entries(words))('%s', (detail, translation) => {
    const known = valuesOf(detail)
    expect([...valuesOf(translation)].filter((value) => !known.has(value))).toEqual([])
    expect(translation).toMatch(/\p{Script=Han}|：|文件|^\{0\} \{1\}$/u)
    expect(translation).not.toMatch(/["！]|\p{Script=Han}[,:;?!]/u)
  })
})

describe('a detail', () => {
  test('is English where that is spoken', () => {
    expect(detailText('the prompt is empty')).toBe('the prompt is empty')
  })

  test.each([
    ['the prompt is empty', '提示词是空的'],
    ['card.json is not valid JSON', 'card.json不是有效的 JSON'],
    // With what stands in it: what a file is, and another detail, behind a name with the signs of one.
    ['a: b.pdf is a PDF file', 'a: b.pdf是PDF 文件'],
    ['x.zip: the character card has no name', 'x.zip：角色卡没有名字'],
    ['x.zip: line 3, it has no text', 'x.zip：第 3 行，没有文字'],
    // Values change places.
    ['model.onnx has 5 heads, expected 9 of config.json', 'model.onnx的 heads 是 5，config.json 写的是 9'],
    // A warning is a sentence of its own, with parts that are.
    [
      "The card's tags is a number where a list is due; it counts as empty.",
      '角色卡的 tags 本该是一列，却是数；当作空的。',
    ],
    [
      'a.json is not UTF-8 and was read as Windows-1252; where letters look wrong, save it as UTF-8.',
      'a.json不是 UTF-8，当作 Windows-1252 读了；字看着不对的话，请存成 UTF-8。',
    ],
    [
      'Assets that are left out: 2; the asset "b" is not base64.',
      '略去了 2 个附带的文件；附带的文件 "b" 不是 base64。',
    ],
    ['its turn 3 is a tool’s', '第 3 轮是工具的'],
    // What knows the most is taken.
    ['pack.safetensors has no tensor a.b', 'pack.safetensors里没有张量 a.b'],
  ])('%s', async (detail, expected) => {
    expect(await inChinese(detail)).toBe(expected)
  })

  test.each(['Failed to fetch', 'what is this', 'A value is too large: 7', 'x has y, z'])(
    'that is not known stays as it is: %s',
    async (detail) => {
      expect(await inChinese(detail)).toBe(detail)
    },
  )

  test('of any length is looked through at once', async () => {
    const long = 'x is: y, has; '.repeat(20_000)
    expect(await inChinese(long)).toBe(long)
  })
})

test('texts are found where they are thrown', () => {
  const found = detailsIn(
    'a.ts',
    `check(is, 'usage', () => \`\${name} is \${what}\`)
     throw new HycoraError('cancelled', isLate ? 'late' : 'early' + \` by \${time}\`)
     check(is, 'usage', () => { return 'so' })
     throw new HycoraError(code, message)
     check(is)`,
  )
  expect(found).toEqual([
    { path: 'a.ts', code: 'usage', detail: '{0} is {1}' },
    { path: 'a.ts', code: 'cancelled', detail: 'late' },
    { path: 'a.ts', code: 'cancelled', detail: 'early by {0}' },
    { path: 'a.ts', code: 'usage', detail: 'so' },
  ])
})
