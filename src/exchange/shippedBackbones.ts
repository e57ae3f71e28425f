import type { PackBackbone } from '../formats/pack.ts'

/** A backbone that ships with the playground, as other programs know it. */
export interface ShippedBackbone {
  readonly fingerprint: string
  /** Where its weights lie for PyTorch: a repository of the hub, or its name here where there is none. */
  readonly repository: string
  /** The size of one attention head. */
  readonly headDim: number
}

/*
 * Packs name their backbone by its fingerprint, and by a name for messages; other programs ask for a repository. The
 * entries of public/models/index.json, in their order.
 */
const SHIPPED: readonly ShippedBackbone[] = [
  {
    fingerprint: '81251daa2d70ce45573d6bd0d8ff0698f13f0ce01319538626e1bb55cbe351d3',
    repository: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    headDim: 64,
  },
  {
    fingerprint: '56dd2f0b8833632a12fd17642d7e30b743557c371871d70a797c9e6df9efc30d',
    repository: 'starter',
    headDim: 64,
  },
]

/** The shipped backbone of a fingerprint; undefined for any other, and for none. */
export function shippedBackbone(fingerprint: string | undefined): ShippedBackbone | undefined {
  return SHIPPED.find((known) => known.fingerprint === fingerprint)
}

/** What other programs can find a pack's backbone by; empty where the pack's name for it is only one to be shown. */
export function repositoryOf({ name, fingerprint }: Pick<PackBackbone, 'name' | 'fingerprint'>): string {
  const known = shippedBackbone(fingerprint)
  if (known) return known.repository
  // A pack without a fingerprint may still have the name of a shipped one.
  const named = SHIPPED.find(({ repository }) => repository.toLowerCase().split('/').at(-1) === name)
  if (named && fingerprint === '') return named.repository
  return /^[\w.-]+(?:\/[\w.-]+)?$/.test(name) ? name : ''
}
