import { writePack } from '../../src/formats/pack.ts'
import { tinyPack } from './tinyPack.ts'

/** The fingerprint that the scripted engine's model has. */
const FINGERPRINT = '56dd2f0b8833632a12fd17642d7e30b743557c371871d70a797c9e6df9efc30d'

/** A pack, for the scripted engine's model or for another. */
export const packFile = async (fingerprint = FINGERPRINT): Promise<Blob> => {
  const content = tinyPack()
  const backbone = { name: 'Another model', architecture: 'llama', fingerprint }
  return new Blob([await writePack({ ...content, backbone })])
}

/** A card of Brine's. */
export const card = (changes: Record<string, unknown> = {}): Blob =>
  new Blob([
    JSON.stringify({
      spec: 'chara_card_v3',
      spec_version: '3.0',
      data: { name: 'Brine', description: 'A captain.', first_mes: 'Mind the rope.', ...changes },
    }),
  ])
