import { check } from '../core/errors.ts'
import type { ServedFile } from '../download/servedFile.ts'

/** One of the forms in which a repository or a folder has its model. */
export interface Variant<File extends SizedFile = ServedFile> {
  /** `q4f16`, `fp16`, …: what its file is called beside `model`. */
  readonly label: string
  /** The folder that the paths below are relative to, with a slash at its end; empty for the whole repository. */
  readonly root: string
  /** The ONNX file. */
  readonly model: string
  readonly bytes: number
  /** Everything that is needed to play it. */
  readonly files: readonly File[]
  /** What is needed and not there. */
  readonly missing: readonly string[]
}

export interface SizedFile {
  readonly path: string
  readonly bytes: number
}

const NEEDED = ['config.json', 'tokenizer.json'] as const
/** What may lie beside a model and is needed to play it. */
export const BESIDE: readonly string[] = [
  ...NEEDED,
  'tokenizer_config.json',
  'generation_config.json',
  'genai_config.json',
  'chat_template.jinja',
  'chat_template.json',
]

/** What plays a part of a model that sees or hears, or a half of one. */
const PARTS = /(vision|audio|image|speech|encoder|embed_tokens|with_past|prefill|embedding)/i

/**
 * The forms of a model among files: each ONNX file that is a whole decoder, with its weights beside it and what reads and
 * writes text, the smallest first.
 */
export function variantsOf<File extends SizedFile>(files: readonly File[]): readonly Variant<File>[] {
  const models = files.filter(({ path }) => path.endsWith('.onnx'))
  const whole = models.filter(({ path }) => !PARTS.test(fileName(path)))
  const decoders = whole.length > 0 ? whole : models
  return decoders.map((model) => variantOf(model, models, files)).toSorted((a, b) => a.bytes - b.bytes)
}

/**
 * The forms of a model that can be played.
 *
 * @throws HycoraError `format-unsupported` saying what is missing; `format-invalid` where a folder could not hold them.
 */
export function playableVariants<File extends SizedFile>(
  name: string,
  files: readonly File[],
): readonly Variant<File>[] {
  const variants = variantsOf(files)
  const [smallest] = variants
  check(
    smallest,
    'format-unsupported',
    () => `${name} has no ONNX model: look for one whose name ends in -ONNX`,
  )
  const playable = variants.filter(({ missing }) => missing.length === 0)
  check(playable.length > 0, 'format-unsupported', () => {
    const missing = smallest.missing.reduce((some, other) => `${some} and no ${other}`)
    return `${name} has no ${missing}, which belongs beside the model`
  })
  for (const variant of playable) checkNames(name, variant)
  return playable
}

/** Of two names that differ in their case alone, many disks keep one. */
function checkNames(name: string, { files }: Variant<SizedFile>): void {
  const paths = new Map<string, string>()
  for (const { path } of files) {
    const other = paths.get(path.toLowerCase())
    check(other === undefined, 'format-invalid', () => `${name} has both ${other} and ${path}`)
    paths.set(path.toLowerCase(), path)
  }
}

function variantOf<File extends SizedFile>(
  model: File,
  models: readonly File[],
  files: readonly File[],
): Variant<File> {
  const folder = model.path.slice(0, model.path.lastIndexOf('/') + 1)
  const hasOwn = files.some(({ path }) => path === `${folder}tokenizer.json`)
  const root = hasOwn ? folder : folder.replace(/[^/]+\/$/, '')
  const isAlone = models.filter(({ path }) => path.startsWith(folder)).length === 1
  const weights = files.filter(({ path }) => isWeights(path, model.path, folder, isAlone))
  const beside = files.filter(({ path }) => path.startsWith(root) && BESIDE.includes(path.slice(root.length)))
  const own = [...beside, model, ...weights].map((file) => ({ ...file, path: file.path.slice(root.length) }))
  return {
    label: labelOf(model.path),
    root,
    model: model.path.slice(root.length),
    bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
    files: own,
    missing: NEEDED.filter((name) => own.every(({ path }) => path !== name)),
  }
}

/** Whether a file holds weights of a model: by its name, or as the only thing beside the only model of a folder. */
function isWeights(path: string, model: string, folder: string, isAlone: boolean): boolean {
  const stem = model.replace(/\.onnx$/, '')
  const behind = path.startsWith(model) ? path.slice(model.length) : null
  if (behind !== null && /^[._]data([._-]?\d+)?$/.test(behind)) return true
  if (path === `${stem}.data`) return true
  const isBeside = path.startsWith(folder) && !path.slice(folder.length).includes('/')
  return isAlone && isBeside && /(\.data|\.bin|\.pb|\.weights?|_data(_\d+)?)$/.test(path)
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function labelOf(path: string): string {
  const own = fileName(path).replace(/\.onnx$/, '')
  const suffix = /^(?:decoder_)?model(?:_merged)?[_.-]?(.*)$/.exec(own)
  if (suffix?.[1]) return suffix[1]
  const folder = path.split('/').at(-2)
  if (suffix && folder !== undefined && folder !== 'onnx') return folder
  return suffix ? 'fp32' : own
}

/** In how many bits weights lie, and whether what comes of them is computed in halves. */
export interface Precision {
  readonly bits: 2 | 4 | 8 | 16 | 32
  readonly inHalves: boolean
}

/** What a label says of the weights; null where it says nothing that is known. */
export function precisionOf(label: string): Precision | null {
  const text = label.toLowerCase()
  const stored = (bits: Precision['bits']): Precision => ({ bits, inHalves: false })
  if (/nf4|fp4|bnb4/.test(text)) return stored(4)
  if (/(q|int|u?int)4f16|4f16/.test(text)) return { bits: 4, inHalves: true }
  if (/q4|int4|4bit/.test(text)) return stored(4)
  if (/q2|int2|2bit/.test(text)) return stored(2)
  if (/q8|int8|quantized|8bit/.test(text)) return stored(8)
  if (/bf16|bfloat16|fp16|float16|f16/.test(text)) return stored(16)
  return /fp32|float32|f32/.test(text) ? stored(32) : null
}

/** The precision in words; empty where a label says nothing of it. */
export function precisionText(label: string): string {
  const precision = precisionOf(label)
  if (!precision) return ''
  return precision.inHalves ? `${precision.bits} bits, computed in halves` : `${precision.bits} bits`
}
