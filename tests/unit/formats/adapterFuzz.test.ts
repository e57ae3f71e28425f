import { expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { openFile } from '../../../src/exchange/openFile.ts'
import { writePack } from '../../../src/formats/pack.ts'
import { silenceOf } from '../../../src/formats/packFacts.ts'
import { peftPack, readPeft } from '../../../src/formats/peft.ts'
import { writeZip } from '../../../src/formats/zip.ts'
import { mlxFolder, peftFolder, unpadded, utf8 } from '../../support/adapterFolder.ts'
import { fuzz, isFullFuzz, mutateBytes, mutateJson, rounds } from '../../support/fuzz.ts'

const TIMEOUT = { timeout: isFullFuzz ? 7_200_000 : 120_000 }

/** Configurations that ask for all that is read of them. */
const CHANGES: readonly Readonly<Record<string, unknown>>[] = [
  {},
  {
    rank_pattern: { k_proj: 4, '.*[3-9]\\..*': 1 },
    alpha_pattern: { '^model.layers.0.*q_proj': 3, v_proj: 1 },
  },
  { target_modules: '.*\\.(q|v)_proj', exclude_modules: ['layers.9.mlp'], use_rslora: true },
  { layers_to_transform: [0, 1], layers_pattern: ['layers'], init_lora_weights: 'pissa', next: { x: 1 } },
]

/** An adapter's zip, in which the configuration, the weights or their header are not what they were. */
function spoilt(random: Random): Uint8Array {
  const change = CHANGES[random.nextBelow(CHANGES.length)]!
  const files = random.nextBelow(3) ? peftFolder(change) : mlxFolder()
  const content = [...files].map(([path, bytes]) => {
    const isConfig = path.endsWith('.json')
    const isSpoilt = random.nextBelow(3) > 0
    if (!isSpoilt) return { path, bytes: isConfig ? bytes : unpadded(bytes) }
    return {
      path: random.nextBelow(30) ? path : `a/${path}`,
      bytes: isConfig
        ? utf8(mutateJson(new TextDecoder().decode(bytes), random))
        : mutateBytes(bytes, random, 700),
    }
  })
  return writeZip(content)
}

test('a stranger’s LoRA is read or refused, whatever is wrong with it', TIMEOUT, async () => {
  const random = new Random(23)
  const { accepted, refused } = await fuzz(
    rounds(50_000, 0.02),
    () => spoilt(random),
    async (file) => {
      const bytes = typeof file === 'string' ? utf8(file) : file
      const opened = await openFile(bytes, 'lora.zip')
      if (opened.kind !== 'peft') throw new Error(`it is ${opened.kind}`)
      const role = await readPeft(opened.files)
      silenceOf(role)
      await writePack(peftPack(role, { roleName: 'Ada', system: null, backbone: null }))
    },
  )
  expect(Math.min(accepted, refused)).toBeGreaterThan((accepted + refused) / 20)
})
