import type { SafetensorsHeader } from './safetensors.ts'

/*
 * Weights that are no persona pack: told by the names of their tensors, so that people know what they have.
 */

const TAKE_FOLDER =
  'its adapter_config.json is missing, which says how the matrices are scaled: take the whole folder of the adapter'

/** How the tensors of a kind are named, and what it is, with an article; what says most comes first. */
const KINDS: readonly (readonly [name: RegExp, what: string])[] = [
  [
    /^(?:lora|lycoris)_(?:unet|te\d?|transformer|prior|llm)_|^(?:lora|lycoris)_\w+\.(?:lora_down|lora_up|alpha)/,
    'a LoRA as kohya’s trainer writes it, for models of pictures: no adapter of this kind is read',
  ],
  [
    /(?:^|[._])(?:unet|transformer_blocks|double_blocks|single_blocks|text_encoder\w*|diffusion_model|down_blocks|up_blocks)[._].*lora/,
    'a LoRA of a model of pictures: no adapter of this kind is read',
  ],
  [
    /\.(?:hada_w\d|lokr_w\d|oft_blocks|boft_|glora_)/,
    'a LyCORIS adapter, not a LoRA: no adapter of this kind is read',
  ],
  [/\.lora_(?:[ab]$|[ab]_scales)/, `the weights of an mlx-lm adapter; ${TAKE_FOLDER}`],
  [/\.lora_(?:[AB]\b|embedding_[AB]|magnitude_vector)/, `the weights of a PEFT LoRA; ${TAKE_FOLDER}`],
  [/\.lora_(?:down|up)\./, 'a LoRA of a kind that is not known: no adapter of this kind is read'],
  [/^(?:emb_params|string_to_param\.|clip_[lg]$)/, 'an embedding for models of pictures'],
  [/(?:^|\.)prompt_embeddings$/, 'a learnt prompt, not a LoRA: no adapter of this kind is read'],
  [
    /(?:^|\.)(?:layers|h|blocks)\.\d+\.\S*(?:weight|qweight)$|embed_tokens|lm_head/,
    'the weights of a whole model, which is brought in as ONNX, not as a character',
  ],
]

/** Tensors that only a checkpoint of the authors' trainer has. */
const AUTHORS = /(?:^|\.)(?:roles_emb\.|hypernet_encoder\.|\w+_down_linear\.|down_linear\.(?:down|up)\.)/

/** Whether the tensors are those of a checkpoint of the authors' trainer. */
export function isAuthorsCheckpoint({ tensors }: SafetensorsHeader): boolean {
  return [...tensors.keys()].some((name) => AUTHORS.test(name))
}

/** What a safetensors file is that is no persona pack, with an article; null for what is not known. */
export function otherTensors({ tensors }: SafetensorsHeader): string | null {
  const names = [...tensors.keys()]
  return KINDS.find(([expression]) => names.some((name) => expression.test(name)))?.[1] ?? null
}

/** What a shell is told to write them as safetensors. */
const CONVERSION = `python -c "import torch, safetensors.torch as s; w = torch.load('adapter_model.bin', map_location='cpu', weights_only=True); s.save_file({k: v.contiguous() for k, v in w.items()}, 'adapter_model.safetensors')"`

/** Why weights of PyTorch are not read, and how they are brought into a form that is. */
export const PICKLE = `weights in PyTorch’s own form (pickle), which can run code when they are opened and are not read; convert them where they come from, and take the whole folder: ${CONVERSION}`

/** Why arrays of an old mlx-lm are not read. */
export const MLX_ARRAYS =
  'the weights of an old mlx-lm’s adapter, which are not read: a newer mlx-lm writes adapters.safetensors; take its whole folder'

/** How texts begin that stand where somebody wanted a file, and what they are, with an article. */
const TEXTS: readonly (readonly [start: RegExp, what: string])[] = [
  [
    /^version https:\/\/git-lfs\.github\.com\/spec\//,
    'a pointer of Git LFS in place of the file itself: download the file, or run git lfs pull where it was cloned',
  ],
  [
    /^\s*<(?:!doctype html|html|head)\b/i,
    'a page of the web in place of a file: what was saved is the page about it; use its download',
  ],
]

/**
 * What stands in a file in place of weights with a header of safetensors, by how it begins, with an article: weights in
 * another form, or a text about the file; null for anything else.
 */
export function otherBeginning(bytes: Uint8Array): string | null {
  if (isPickle(bytes)) return PICKLE
  const start = new TextDecoder().decode(bytes.subarray(0, 256))
  const text = TEXTS.find(([expression]) => expression.test(start))
  if (text) return text[1]
  const path = firstPath(bytes)
  // PyTorch's newer form is a zip that begins with the pickle.
  if (/(?:^|\/)data\.pkl$/.test(path)) return PICKLE
  if (!path.endsWith('.npy')) return null
  return /\.lora_[ab]\.npy$/.test(path) ? MLX_ARRAYS : 'arrays of NumPy, which are not read'
}

/** Whether bytes begin with a pickle's protocol, and not with the length of a header of safetensors that looks like one. */
function isPickle(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes
  const isHeader = bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0)
  return first === 0x80 && second >= 2 && second <= 5 && !isHeader
}

/** The path of the first file of a zip archive; empty where there is none. */
function firstPath(bytes: Uint8Array): string {
  const isZip =
    bytes.length > 30 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === 0x04034b50
  const length = isZip ? new DataView(bytes.buffer, bytes.byteOffset).getUint16(26, true) : 0
  return new TextDecoder().decode(bytes.subarray(30, 30 + length))
}
