// Who of several speaks next, and who can. No state: the chat and the cast have it.
import { isForAnotherModel } from '../../../src/cast/member.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { speakersAfter, talkativenessOf } from '../../../src/cast/turnTaking.ts'
import { Random } from '../../../src/core/random.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import type { GroupMember } from '../../../src/storage/records.ts'
import { findMember, useCast } from '../company/cast.ts'
import { useEngine } from '../engine/engine.ts'
import { newSeed } from '../page/newId.ts'
import { notify } from '../page/notices.ts'
import { useSettings } from '../page/settings.ts'
import { storeText } from '../../words/store.ts'

/** Whether somebody can speak on the loaded model. */
export function canSpeak(member: CastMember | undefined): member is CastMember {
  return member !== undefined && !isForAnotherModel(member.guest?.backbone, useEngine.getState().info)
}

/** How often one of several speaks up unnamed: as was chosen, else as their card says. */
export function talkativenessIn({ talkativeness }: GroupMember, member: CastMember | undefined): number {
  return talkativeness ?? talkativenessOf(member?.card ?? null)
}

/**
 * The keys of those of a chat's group whose turn it is.
 *
 * @param isPrompted whether somebody is to speak where the visitor has the say.
 */
export function whoSpeaks({ group, ...chat }: Chat, isPrompted: boolean): readonly string[] {
  if (!group) return []
  const { members } = useCast.getState()
  const candidates = group.members.flatMap((one) => {
    const member = findMember(members, one.key)
    if (one.key === null || !canSpeak(member)) return []
    const { key, name, isMuted } = one
    return [{ key, name, isMuted, talkativeness: talkativenessIn(one, member) }]
  })
  const lines = visibleMessages({ ...chat, group })
    .filter(({ excluded }) => !excluded)
    .map((message) => ({ ...message, text: selectedTake(message).text }))
  // The same chat with the same seed goes on in the same way.
  const random = new Random(useSettings.getState().lockedSeed ?? newSeed(), lines.length)
  const keys = speakersAfter(lines, { ...group, members: candidates, isPrompted }, random)
  const isOnlyTheirs = group.order === 'manual' && !isPrompted
  if (keys.length === 0 && !isOnlyTheirs) notify(storeText('turns.nobody'))
  return keys
}
