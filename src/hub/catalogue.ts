/** A published model that is worth a look. */
export interface CatalogueEntry {
  readonly repository: string
  /** What it is good at, in a few words. */
  readonly about: string
  readonly languages: string
  readonly licence: string
  /** Whether the hub gives it only to those who have accepted its terms. */
  readonly isGated: boolean
  /**
   * Who computes it: our kernels, where characters can be trained on it too, or onnxruntime on the processor, where they
   * play by their cards.
   */
  readonly computedBy: 'kernels' | 'processor'
}

/**
 * Small language models that are published as ONNX. Their repositories were not reached when this list was made: what is
 * there, and under what licence, the hub itself says before anything is fetched. `computedBy` is known of the family, from
 * graphs in its form.
 */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    repository: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    about: 'the model that this page plays with, in other precisions',
    languages: 'English',
    licence: 'Apache-2.0',
    isGated: false,
    computedBy: 'kernels',
  },
  {
    repository: 'HuggingFaceTB/SmolLM2-360M-Instruct',
    about: 'the same family, two and a half times the size',
    languages: 'English',
    licence: 'Apache-2.0',
    isGated: false,
    computedBy: 'kernels',
  },
  {
    repository: 'HuggingFaceTB/SmolLM2-1.7B-Instruct',
    about: 'the largest of the family: longer thoughts, more knowledge',
    languages: 'English',
    licence: 'Apache-2.0',
    isGated: false,
    computedBy: 'kernels',
  },
  {
    repository: 'onnx-community/Qwen2.5-0.5B-Instruct',
    about: 'small, and at home in many languages',
    languages: 'English, Chinese and 27 more',
    licence: 'Apache-2.0',
    isGated: false,
    computedBy: 'kernels',
  },
  {
    repository: 'onnx-community/Qwen2.5-1.5B-Instruct',
    about: 'follows a card well for its size',
    languages: 'English, Chinese and 27 more',
    licence: 'Apache-2.0',
    isGated: false,
    computedBy: 'kernels',
  },
  {
    repository: 'onnx-community/Llama-3.2-1B-Instruct-ONNX',
    about: 'good at talk',
    languages: 'English and seven more',
    licence: 'Llama 3.2',
    isGated: false,
    computedBy: 'kernels',
  },
  {
    repository: 'onnx-community/Qwen3-0.6B-ONNX',
    about: 'newer than Qwen2.5, its thoughts are not shown',
    languages: 'English, Chinese and over a hundred more',
    licence: 'Apache-2.0',
    isGated: false,
    computedBy: 'processor',
  },
  {
    repository: 'onnx-community/gemma-3-270m-it-ONNX',
    about: 'very small, with a large vocabulary',
    languages: 'over a hundred',
    licence: 'Gemma',
    isGated: false,
    computedBy: 'processor',
  },
]
