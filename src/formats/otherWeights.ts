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

/** Why weights of PyTorch are not read, and how they are brought into a form that is. */
export const PICKLE =
  "weights in PyTorch’s own form (pickle), which can run code when they are opened and are not read; convert them where they come from, and take the whole folder: python -c \"import torch, safetensors.torch as s; w = torch.load('adapter_model.bin', map_location='cpu', weights_only=True); s.save_file({k: v.contiguous() for k, v in w.items()}, 'adapter_model.safetensors')\""

/** Why arrays of an old mlx-lm are not read. */
export const MLX_ARRAYS =
  'the weights of an old mlx-lm’s adapter, which are not read: a newer mlx-lm writes adapters.safetensors; take its whole folder'

/** What weights without a header of safetensors are, by how they begin, with an article; null for anything else. */
export function otherBinary(bytes: Uint8Array): string | null {
  const [first = 0, second = 0] = bytes
  if (first === 0x80 && second >= 2 && second <= 5) return PICKLE
  const path = firstPath(bytes)
  // PyTorch's newer form is a zip that begins with the pickle.
  if (/(?:^|\/)data\.pkl$/.test(path)) return PICKLE
  if (!path.endsWith('.npy')) return null
  return /\.lora_[ab]\.npy$/.test(path) ? MLX_ARRAYS : 'arrays of NumPy, which are not read'
}

/** The path of the first file of a zip archive; empty where there is none. */
function firstPath(bytes: Uint8Array): string {
  const isZip =
    bytes.length > 30 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === 0x04034b50
  const length = isZip ? new DataView(bytes.buffer, bytes.byteOffset).getUint16(26, true) : 0
  return new TextDecoder().decode(bytes.subarray(30, 30 + length))
}
