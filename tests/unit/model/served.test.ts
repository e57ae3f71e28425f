import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { folder } from '../../../src/cli/files.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { parseManifest } from '../../../src/storage/manifest.ts'

const publicFolder = resolve(import.meta.dirname, '../../../public')
const served = parseManifest(JSON.parse(readFileSync(resolve(publicFolder, 'models/index.json'), 'utf8')))

test.each(served)(
  'the list names the fingerprint of $name, by which packs are told apart',
  async (backbone) => {
    const listing = backbone.files.map(({ path }) => path)
    const model = await openChatModel(folder(resolve(publicFolder, backbone.folder)), { listing })
    expect(model.fingerprint).toBe(backbone.fingerprint)
  },
)
