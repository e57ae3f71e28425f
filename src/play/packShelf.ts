import type { PackRef } from '../formats/packFacts.ts'
import { blobSource } from '../formats/blobSource.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import type { Backbone } from '../model/decoder/backbone.ts'
import { comparePack } from '../model/chatModel.ts'
import type { TextModel } from '../model/chatModel.ts'

/** Read packs that stay in memory; the one that played least recently makes room. */
const MOST_OPEN = 4

/** The packs of a stage: one came with the backbone, others are read when their roles are first asked for. */
export interface PackShelf {
  /**
   * A pack, read and compared with the backbone; without a reference the first one, null where there is none.
   *
   * @throws HycoraError what `readPack` throws; `model-incompatible` naming both backbones.
   */
  open(ref: PackRef | undefined): Promise<Pack | null>
  /**
   * The same, its roles ready to play; on any failure the one before stays.
   *
   * @throws HycoraError what `open` throws; `model-incompatible` when its shapes are not the backbone's.
   */
  attach(ref: PackRef | undefined): Promise<Pack | null>
  /** What to tell of a pack that plays all the same, such as that it has no fingerprint to compare. */
  warningsOf(pack: Pack): readonly string[]
  /** Something is attached past this shelf: whatever plays next is attached anew. */
  forget(): void
}

/** A shelf on which `pack` is attached already. */
export function openPackShelf(stage: {
  readonly backbone: Backbone
  readonly model: TextModel
  readonly name: string
  readonly pack: Pack | null
}): PackShelf {
  const { backbone, model, name, pack: first } = stage
  const packs = new Map<string, Promise<Pack>>()
  let attached: Pack | null | undefined = first
  const read = async ({ name: packName, file }: PackRef): Promise<Pack> => {
    const pack = await readPack(blobSource(packName, file))
    comparePack(pack, model, name)
    return pack
  }
  const open = async (ref: PackRef | undefined): Promise<Pack | null> => {
    if (!ref) return first
    const pack = packs.get(ref.id) ?? read(ref)
    // A Map keeps insertion order: the first key is the one asked for least recently.
    packs.delete(ref.id)
    packs.set(ref.id, pack)
    const [oldest] = packs.keys()
    if (packs.size > MOST_OPEN && oldest !== undefined) packs.delete(oldest)
    try {
      return await pack
    } catch (error) {
      packs.delete(ref.id)
      throw error
    }
  }
  return {
    open,
    async attach(ref) {
      const pack = await open(ref)
      if (pack !== attached) {
        await backbone.attach(pack)
        attached = pack
      }
      return pack
    },
    warningsOf(pack) {
      const warning = comparePack(pack, model, name)
      return warning ? [warning] : []
    },
    forget() {
      attached = undefined
    },
  }
}
