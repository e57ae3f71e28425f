import { expect, test } from 'vitest'

import { heardBy, stageChat, stopsFor } from '../../../app/stores/chat/scene.ts'
import { joinCast, readCast } from '../../../src/cast/member.ts'
import { openPack } from '../../../src/cli/engine.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import { openPackShelf } from '../../../src/play/packShelf.ts'
import { speak, wholeAnswer } from '../../../src/play/speak.ts'
import { castScene, cueOf } from '../../../src/play/stage.ts'
import type { Stage } from '../../../src/play/stage.ts'
import { foldChat } from '../../../src/storage/chat.ts'
import type { ChatChange, ChatGroup, NewMessage } from '../../../src/storage/records.ts'
import { starterStage } from '../../support/starterStage.ts'

const VISITOR = { name: 'Anna', description: '' }
const KEYS = ['Alice', 'Sherlock Holmes']
const GROUP: ChatGroup = {
  members: KEYS.map((key) => ({ key, name: key, isMuted: false, talkativeness: null })),
  order: 'list',
  repliesToSelf: false,
  scene: '',
}

async function stageWithCast(): Promise<Stage> {
  const stage = await starterStage()
  const pack = await openPack('public/packs/starter.hycora.safetensors')
  await stage.backbone.attach(pack)
  const { backbone, model, name } = stage
  return { ...stage, pack, shelf: openPackShelf({ backbone, model, name, pack }) }
}

type Line = readonly [key: string | null, text: string]

/** What one of them says next, after these lines: in the chat of both, or in one with them alone in which the other spoke. */
async function answer(stage: Stage, lines: readonly Line[], key: string, group: ChatGroup | null) {
  const [member] = joinCast(readCast({ [key]: { displayName: key } }), null)
  const source = { user: '', character: '', header: '{}' }
  const messages = lines.map(([speaker, text], index): ChatChange => {
    const message: NewMessage = {
      id: `m${index}`,
      speaker: speaker === null ? 'user' : 'role',
      name: speaker ?? VISITOR.name,
      key: speaker,
      excluded: false,
      takes: [{ id: `t${index}`, text, at: 1, generation: null }],
      selected: 0,
    }
    return { kind: 'message-added', message }
  })
  const changes: readonly ChatChange[] = [
    { kind: 'chat-created', key: group ? null : key, title: null, parent: null, metadata: null, source },
    { kind: 'group-changed', group },
    ...messages,
  ]
  const chat = heardBy(foldChat(changes.map((change) => ({ ...change, version: 1, chat: 'c', at: 1 })))!, key)
  const { scene, names } = stageChat(chat, { member, visitor: VISITOR })
  const casting = await castScene(stage, scene)
  const stops = stopsFor(['\n{{user}}:'], names, chat.group)
  const delivery = { casting, sampling: GREEDY, maxTokens: 16, stops }
  return (await wholeAnswer(speak(stage, await cueOf(stage, scene), delivery))).text
}

test('each of several says the likeliest words that they would say alone, with the same messages', async () => {
  const [together, alone] = [await stageWithCast(), await stageWithCast()]
  const lines: Line[] = []
  for (const question of ['Who are you?', 'And what do you make of each other?']) {
    lines.push([null, question])
    for (const key of KEYS) {
      // The one stage has just heard the other speak, and keeps what it read of that.
      const said = await answer(together, lines, key, GROUP)
      expect(said.trim()).not.toBe('')
      expect(said).toBe(await answer(alone, lines, key, null))
      lines.push([key, said.trim()])
    }
  }
  const [first, second] = [lines[1]?.[1], lines[2]?.[1]]
  expect(first).not.toBe(second)
})
