import type { Arrival, ArrivingFile, PackArrival } from '../../../src/exchange/arrival.ts'
import type { ShareParams } from '../../../src/exchange/share.ts'
import { zipSync } from 'fflate'
import { beforeAll, describe, expect, test } from 'vitest'

import { arrive as readArrivals } from '../../../src/exchange/arrive.ts'
import { followLink } from '../../../src/exchange/followLink.ts'
import { writeBlend, writeShares } from '../../../src/exchange/share.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { importChats } from '../../../src/storage/sillyTavern.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import { changeRole, roleVector } from '../../../src/formats/packParts.ts'
import { openAdapterMatrices } from '../../../src/model/adapter/cpuAdapter.ts'
import { castRole } from '../../../src/model/adapter/roles.ts'
import { nmse } from '../../support/compare.ts'
import { picture } from '../../support/png.ts'
import { tinyPack } from '../../support/tinyPack.ts'

/** Four roles on two layers of eight numbers: the forms are what is tested, not their size. */
const evening = {
  ...tinyPack({ roles: 4 }),
  backbone: { name: 'Tiny', architecture: 'qwen2', fingerprint: 'f'.repeat(64) },
}
let company: Uint8Array<ArrayBuffer>
const backbone = { name: 'Tiny', architecture: 'qwen2', fingerprint: 'f'.repeat(64), layers: 2 }
const card = {
  name: 'Brine',
  description: 'A captain.',
  first_mes: 'Mind the rope.',
  x_own: { kept: [1, null] },
}

const file = (path: string, content: string | Uint8Array<ArrayBuffer>): ArrivingFile => ({
  path,
  file: new Blob([content]),
})

/** A scenario of Backyard in which this was asked. */
const asked = (text: string) => ({
  messages: [
    { type: 'human', text },
    { type: 'ai', outputs: [{ text: 'Hm.' }] },
  ],
})

const arrive = async (...files: readonly ArrivingFile[]): Promise<Arrival> => {
  const { arrivals, refusals } = await readArrivals(files, { backbone })
  expect(refusals).toEqual([])
  expect(arrivals).toHaveLength(1)
  return arrivals[0]!
}

const refusal = async (...files: readonly ArrivingFile[]) => {
  const { arrivals, refusals } = await readArrivals(files, { backbone })
  expect(arrivals).toEqual([])
  return refusals[0]!
}

const shares = async (changes: Partial<ShareParams>): Promise<ReadonlyMap<string, Blob | string>> => {
  const params: ShareParams = {
    pack: { name: 'The company', file: new Blob([company]) },
    role: 'Role 1',
    name: 'Caesar',
    cards: new Map([['Role 1', { name: 'Caesar', description: 'He came.' }]]),
    card: { name: 'Caesar', description: 'He came.' },
    original: null,
    assets: new Map(),
    portrait: new Blob([new Uint8Array(picture())]),
    home: null,
    headDim: null,
    ...changes,
  }
  const forms = new Map<string, Blob | string>()
  for await (const one of writeShares(params)) forms.set(one.form, 'file' in one ? one.file : one.reason)
  return forms
}

const bytesOf = async (blob: Blob): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await blob.arrayBuffer())

let pack: Pack
beforeAll(async () => {
  company = await writePack(evening)
  pack = await readPack(memorySource('company', company))
})

test('a whole disk is refused in one sentence, before any file of it is read', async () => {
  const many = Array.from({ length: 2049 }, (_, index) => file(`disk/${index}.json`, '{}'))
  await expect(readArrivals(many, { backbone })).rejects.toThrow(
    'more than 2048 files came at once: choose the files, or the folder of one adapter or data set',
  )
})

describe('what comes in', () => {
  test('is a pack, told whole', async () => {
    const found = await arrive(file('a folder/evening.hycora.safetensors', company.slice()))
    expect(found).toMatchObject({
      kind: 'pack',
      form: 'pack',
      fileName: 'evening.hycora.safetensors',
      bytes: company.length,
      rank: pack.config.rank,
      licence: '',
      warnings: [],
    })
    const { roles } = found as PackArrival
    expect(roles.map(({ name }) => name)).toEqual(pack.roles.map(({ name }) => name))
    expect(roles[2]!.vector).toEqual(roleVector(pack, roles[2]!.name))
  })

  test('is a card, with all that it holds', async () => {
    const found = await arrive(
      file('brine.json', JSON.stringify({ spec: 'chara_card_v2', data: card, x_top: 1 })),
    )
    expect(found).toMatchObject({
      kind: 'card',
      spec: 'v2',
      data: card,
      original: { x_top: 1 },
      portrait: null,
    })
    expect(found).toMatchObject({ card: { name: 'Brine', firstMessage: 'Mind the rope.' } })
  })

  test('is told apart by content: chats, lines and what is none of these', async () => {
    const chat = '{"user_name":"a","character_name":"b"}\n{"name":"b","is_user":false,"mes":"hm"}\n'
    expect(await arrive(file('a.jsonl', chat))).toMatchObject({ kind: 'chat' })
    expect(await arrive(file('a.txt', 'Visitor: Hm?\nBrine: Hm.\n'))).toMatchObject({ kind: 'lines' })
    expect(await refusal(file('a.bin', new Uint8Array(64)))).toMatchObject({ code: 'format-unsupported' })
    expect(
      await refusal(
        file('a.gguf', new Uint8Array([...new TextEncoder().encode('GGUF'), 3, ...new Uint8Array(32)])),
      ),
    ).toMatchObject({
      code: 'format-unsupported',
    })
    expect(await refusal(file('empty.png', ''))).toMatchObject({ code: 'format-invalid' })
  })

  test('is a character and what was said with them, where both came in one', async () => {
    const [manifest, character] = [{ characters: [] }, { displayName: 'Brine' }].map((one) =>
      new TextEncoder().encode(JSON.stringify(one)),
    )
    const archive = (...scenarios: readonly object[]) =>
      zipSync({
        'manifest.json': manifest!,
        'characters/a/character.json': character!,
        ...Object.fromEntries(
          scenarios.map((one, index) => [
            `scenarios/${index}.json`,
            new TextEncoder().encode(JSON.stringify(one)),
          ]),
        ),
      })
    const { arrivals } = await readArrivals([file('brine.byaf', archive(asked('One?'), asked('Two?')))], {
      backbone: null,
    })
    expect(arrivals).toMatchObject([
      { kind: 'card', card: { name: 'Brine' } },
      {
        kind: 'chat',
        fileName: 'brine.byaf',
        character: 'Brine',
        chats: 2,
        messages: 4,
        program: 'Backyard',
      },
    ])
    const [, chat] = arrivals
    const again = chat?.kind === 'chat' ? importChats(await chat.file.text(), () => 'id') : []
    expect(again.map(({ messages }) => messages[0]?.takes[0]?.text)).toEqual(['One?', 'Two?'])
    const silent = archive({ messages: [{ type: 'human', text: ' ' }] })
    expect(await arrive(file('brine.byaf', silent))).toMatchObject({ kind: 'card' })
    const dump = {
      character: { name: 'Brine', title: 'A captain', greeting: 'Mind the rope.', definition: '' },
      histories: [{ msgs: [{ src: { is_human: false, name: 'Brine' }, text: 'Aye.' }] }],
    }
    const both = await readArrivals([file('dump.json', JSON.stringify(dump))], { backbone: null })
    expect(both.arrivals).toMatchObject([
      { kind: 'card', program: 'character.ai' },
      { kind: 'chat', messages: 1 },
    ])
  })

  test('is taken or refused one by one', async () => {
    const { arrivals, refusals } = await readArrivals(
      [
        file('brine.json', JSON.stringify({ spec: 'chara_card_v3', data: card })),
        file('cut.hycora.safetensors', company.slice(0, 5000)),
      ],
      { backbone: null },
    )
    expect(arrivals.map(({ fileName }) => fileName)).toEqual(['brine.json'])
    expect(refusals).toMatchObject([{ fileName: 'cut.hycora.safetensors', code: 'format-invalid' }])
  })

  test('is no pack whose data has changed, nor one with a value that is not finite', async () => {
    const changed = company.slice()
    changed[changed.length - 1]! ^= 1
    expect((await refusal(file('a.safetensors', changed))).message).toContain('SHA-256')
  })
})

describe('what goes out comes in again', () => {
  test('as one role, as the company and as a character file', async () => {
    const forms = await shares({})
    expect([...forms.keys()]).toEqual(['role', 'pack', 'charx', 'png', 'json', 'link', 'peft', 'gguf'])
    for (const form of ['role', 'charx'] as const) {
      const found = (await arrive({ path: `caesar.${form}`, file: forms.get(form) as Blob })) as PackArrival
      expect(found.roles.map(({ name }) => name)).toEqual(['Role 1'])
      expect(found.roles[0]!.vector).toEqual(roleVector(pack, 'Role 1'))
      expect(found.roles[0]!.card).toMatchObject({ name: 'Caesar', description: 'He came.' })
    }
    const all = (await arrive({ path: 'all', file: forms.get('pack') as Blob })) as PackArrival
    expect(all.roles).toHaveLength(pack.roles.length)
    expect(all.roles.find(({ name }) => name === 'Role 1')?.card).toMatchObject({
      description: 'He came.',
    })
  })

  test('as a card that has lost nothing', async () => {
    const original = { spec: 'chara_card_v3', spec_version: '3.0', data: card, x_beside: 'kept' }
    const forms = await shares({ pack: null, role: null, name: 'Brine', card, original })
    expect([...forms.keys()]).toEqual(['charx', 'png', 'json'])
    for (const form of ['charx', 'png', 'json'] as const) {
      const found = await arrive({ path: `brine.${form}`, file: forms.get(form) as Blob })
      expect(found).toMatchObject({ kind: 'card', data: { ...card }, original: { x_beside: 'kept' } })
    }
  })

  test('as a LoRA folder, whose matrices are those of the role', async () => {
    const forms = await shares({})
    const found = (await arrive({ path: 'Caesar.zip', file: forms.get('peft') as Blob })) as PackArrival
    expect(found).toMatchObject({ form: 'peft', backbone: { fingerprint: backbone.fingerprint } })
    const lora = await readPack(memorySource('peft', await bytesOf(found.file)))
    const [one, other] = [openAdapterMatrices(lora), openAdapterMatrices(pack)]
    for (const projection of pack.config.projections) {
      const expected = other.mixA(castRole(pack, 'Role 1', 1), 1, projection)
      expect(nmse(one.mixA(castRole(lora, 'Caesar', 1), 1, projection), expected)).toBeLessThan(1e-12)
    }
    const text = await (forms.get('gguf') as Blob).slice(0, 4).text()
    expect(text).toBe('GGUF')
  })

  test('as a link, for whoever has the same company', async () => {
    const forms = await shares({ home: { name: 'home', file: new Blob([company]) } })
    const link = await (forms.get('link') as Blob).text()
    const packs = [{ name: 'home', file: new Blob([company]) }]
    const found = (await followLink(link, packs)) as PackArrival
    expect(found.roles.map(({ name }) => name)).toEqual(['Role 1'])
    const made = await readPack(memorySource('link', await bytesOf(found.file)))
    const [one, other] = [openAdapterMatrices(made), openAdapterMatrices(pack)]
    expect(one.mixA(castRole(made, 'Role 1', 1), 0, 'q')).toEqual(
      other.mixA(castRole(pack, 'Role 1', 1), 0, 'q'),
    )
    expect(await followLink(link, [])).toMatchObject({ kind: 'missing', name: 'Role 1', missing: 'backbone' })
    const stranger = [{ name: 'tiny', file: new Blob([await writePack(tinyPack({ seed: 2 }))]) }]
    expect(await followLink(link, stranger)).toMatchObject({ kind: 'missing', missing: 'backbone' })
    await expect(followLink(link.slice(0, -3), packs)).rejects.toMatchObject({ code: 'format-invalid' })
  })

  test('as a blend, with its parents', async () => {
    const blend = await writeBlend({
      pack: { name: 'The company', file: new Blob([company]) },
      name: 'Both',
      system: null,
      card: { name: 'Both' },
      parts: [
        { role: 'Role 1', weight: 1.5 },
        { role: 'Role 0', weight: -0.5 },
      ],
    })
    const found = (await arrive({ path: 'both.hycora.safetensors', file: blend })) as PackArrival
    expect(found.roles.map(({ name }) => name)).toEqual(['Role 0', 'Role 1', 'Both'])
    expect(found.roles[2]!.blend).toEqual([
      { role: 'Role 1', weight: 1.5 },
      { role: 'Role 0', weight: -0.5 },
    ])
    expect(found.provenance['parents']).toEqual([pack.sha256])
    const forms = await shares({
      pack: { name: 'Both', file: blend },
      role: 'Both',
      name: 'Both',
      card: null,
    })
    expect(forms.get('link')).toMatch(/blend/)
    expect(forms.get('role')).toBeInstanceOf(Blob)
  })

  test('takes the cards that were changed along, in place of the pack’s own, and no weight is touched', async () => {
    const own = changeRole(changeRole(pack, 'Role 1', { card: { name: 'Caesar' } }), 'Role 0', {
      card: { name: 'Brutus' },
    })
    const bytes = await writePack(own)
    const changed = { name: 'Caesar', nickname: 'Gaius', first_mes: 'Ave.' }
    const forms = await shares({
      pack: { name: 'Evening', file: new Blob([bytes]) },
      changedCards: new Map([['Role 1', changed]]),
      card: changed,
    })
    const [before, whole] = await Promise.all(
      [new Blob([bytes]), forms.get('pack') as Blob].map(async (blob) =>
        readPack(memorySource('whole', await bytesOf(blob))),
      ),
    )
    expect(whole?.roles.slice(0, 2).map((role) => role.card)).toEqual([{ name: 'Brutus' }, changed])
    expect(whole?.tensors).toEqual(before?.tensors)
    const one = await readPack(memorySource('one', await bytesOf(forms.get('role') as Blob)))
    expect(one.roles.map((role) => role.card)).toEqual([changed])
    const json: unknown = JSON.parse(await (forms.get('json') as Blob).text())
    expect(json).toMatchObject({ data: { nickname: 'Gaius', first_mes: 'Ave.' } })
  })

  test('says why where a form cannot be', async () => {
    const renamed = changeRole(pack, 'Role 1', { name: 'C'.repeat(256) })
    const long = new Blob([await writePack(renamed)])
    const forms = await shares({
      pack: { name: 'Long', file: long },
      role: 'C'.repeat(256),
      cards: new Map(),
    })
    expect(forms.get('link')).toMatch(/longer than 255 bytes/)
  })
})
