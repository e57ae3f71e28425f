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

/**
 * What puts files, their readers, what comes from elsewhere and what computes it into words: whole details, and what stands in
 * them as a value; what runs of training tell is told there too.
 */
const TELLS =
  /^src\/(?:bench|download|exchange|fallback|formats|hub|model\/graph|train\/(?:run|settings))\/|^src\/(?:core\/(?:sampling|text)|engine\/(?:client|fileClient)|model\/(?:chatModel|adapter\/adapter|gpu\/sequences)|play\/openPath|storage\/(?:database|servedJson))\.ts$/
/** Texts that are written into files, names, and lists of keys: nobody is told them. */
const UNTOLD: Readonly<Record<string, RegExp>> = {
  'src/exchange/trainingKit.ts': /./s,
  'src/bench/floor.ts': /^(?:first row|there are two of each)$/,
  'src/bench/measureCard.ts': /^hycora card$/,
  'src/bench/randomModel.ts': /^one value$/,
  'src/core/text.ts': /^SQLite format 3$/,
  'src/fallback/linearLayers.ts': /^the decoder has no layer/,
  'src/formats/dataset/fileSides.ts': /^test\(/,
  'src/formats/lore/packedEntries.ts': /^packed lore$/,
  'src/formats/peft.ts': /^---\n|^It was trained with|^\nIt fits|^library_name|^pipeline_tag/,
  'src/formats/tokenDecoder.ts': /^ do not$/,
  'src/hub/variants.ts': /^\{0\} bits/,
  'src/model/graph/rotarySource.ts': /^rotary (?:cosines|sines)$/,
  'src/formats/otherWeights.ts': /^python -c/,
  'src/formats/chatFile.ts': /^text generation web UI$/,
  'src/formats/otherCharacters.ts': /^text generation web UI$/,
  'src/formats/lore/loreFile.ts': /^Character Card V3$/,
  'src/train/run/provenance.ts': /^nats|^HyCoRA playground/,
  'src/formats/dataset/logRows.ts': /^(?:conversation_id|thread) /,
  'src/formats/dataset/records.ts': /^(?:instruction|request|output|bot_message|character) /,
  'src/formats/dataset/stamped.ts': /^\(\?:/,
  'src/formats/dataset/words.ts': /^tool/,
}

/** Whether words stand in a text as in a sentence, or in a part of one. */
const readsLikeSentence = (text: string): boolean =>
  /\p{L}{2,}\P{L}* \P{L}*\p{L}{2,}/su.test(text.replaceAll(/\{\d\}/g, '_'))

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
    // What a value tells is told in Chinese, too.
    [
      'model.onnx: node "/mlp/Mul" (Mul) stands where a decoder has the sum of a rotation',
      'model.onnx：节点 /mlp/Mul（Mul）的位置上，应当是旋转里的和',
    ],
    [
      'https://hub.example cannot be reached: nothing came for 20 s; look at its address and at your connection',
      '够不着 https://hub.example：20 秒没有动静；看看它的地址，也看看你的网络',
    ],
    [
      'model.onnx stopped at 5 of 9 bytes: the server closed the connection; this device is offline',
      'model.onnx共 9 字节，到 5 字节停下了：服务器断开了连接；这台设备没有联网',
    ],
    [
      'a.zip is no character card: the archive has no card.json; it holds a.txt, b.txt, c.txt and 2 more',
      'a.zip不是角色卡：压缩包里没有 card.json；里面是 a.txt, b.txt, c.txt，还有 2 个',
    ],
    [
      'onnx-community/x has no config.json and no tokenizer.json, which belongs beside the model',
      'onnx-community/x里没有 config.json，也没有 tokenizer.json，它应当在模型旁边',
    ],
    // What others say in their own words stays theirs.
    ['the engine stopped: its script did not load', '引擎停了：它的脚本没有载入'],
    ['onnxruntime could not open the graph: bad opset', 'onnxruntime 打不开这个模型的图：bad opset'],
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
