import { describe, expect, test } from 'vitest'

import { readAuthorsCheckpoint } from '../../../src/formats/authorsCheckpoint.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import { writeSafetensors, type SafetensorsTensor } from '../../../src/formats/safetensors.ts'
import { tinyPack, type TinyPackOptions } from '../../support/tinyPack.ts'

const FACTS = { rank: 2, alpha: 4, roles: ['Role 0', 'Role 1', 'Role 2'], backbone: null }

const part = (projection: string) => `${'qkvo'.includes(projection) ? 'self_attn' : 'mlp'}.${projection}_proj`

/** A pack's tensors under the names that the authors' trainer saves. */
function checkpoint(
  options: TinyPackOptions = {},
  change: (tensors: Map<string, SafetensorsTensor>) => void = () => {},
): Uint8Array {
  const renamed = [...tinyPack(options).tensors].map(([name, tensor]) => {
    const own = /^layers\.(\d)\.(\w+)\.lora_B$/.exec(name)
    const generator = /^(\w+)_down_linear\.(.*)$/.exec(name)
    if (own) return [`model.layers.${own[1]}.${part(own[2]!)}.lora_B`, tensor] as const
    if (generator)
      return [`model.layers.0.${part(generator[1]!)}.down_linear.${generator[2]}`, tensor] as const
    if (/^(?:roles_emb|layers_emb|hypernet_encoder)\./.test(name)) {
      return [`model.layers.0.self_attn.q_proj.${name}`, tensor] as const
    }
    return [name, tensor] as const
  })
  const tensors = new Map<string, SafetensorsTensor>(renamed)
  change(tensors)
  return writeSafetensors(tensors, new Map([['format', 'pt']]))
}

function read(bytes: Uint8Array, facts = FACTS) {
  return readAuthorsCheckpoint(memorySource('adapter.safetensors', bytes), facts)
}

describe("the authors' checkpoints", () => {
  test.each([{}, { heads: false }, { bare: true }, { layers: 1 }])(
    '%o: as the pack, to the bit',
    async (options) => {
      const expected = tinyPack(options)
      const pack = await readPack(memorySource('x', await writePack(await read(checkpoint(options)))))
      const { roleEmbedding, ...config } = expected.config
      expect(pack.config).toEqual({ ...config, roleEmbedding })
      expect(pack.roles.map(({ name }) => name)).toEqual(FACTS.roles)
      expect(new Map([...pack.tensors].map(([name, { bytes }]) => [name, Buffer.from(bytes)]))).toEqual(
        new Map(
          [...pack.tensors.keys()].map((name) => [name, Buffer.from(expected.tensors.get(name)!.bytes)]),
        ),
      )
      expect(pack.tensors.size).toBe(expected.tensors.size)
    },
  )

  test.each([
    ['names for other roles', { ...FACTS, roles: ['One'] }, 'usage'],
    ['another rank', { ...FACTS, rank: 3 }, 'format-invalid'],
  ])('%s: refused', async (_, facts, code) => {
    await expect(read(checkpoint(), facts)).rejects.toThrow(expect.objectContaining({ code }))
  })

  test('a stranger’s tensor is refused, a missing one missed', async () => {
    const extra = checkpoint({}, (tensors) => {
      tensors.set('model.embed_tokens.weight', { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) })
    })
    await expect(read(extra)).rejects.toThrow(expect.objectContaining({ code: 'format-unsupported' }))
    const less = checkpoint({}, (tensors) => void tensors.delete('model.layers.1.mlp.up_proj.lora_B'))
    await expect(read(less).then(writePack)).rejects.toThrow(
      expect.objectContaining({ code: 'format-invalid' }),
    )
  })
})
