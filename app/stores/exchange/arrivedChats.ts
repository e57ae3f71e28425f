// Chats among what came in, and the groups that they belong to. No state.
import type { Arrival, ChatArrival, GroupArrival } from '../../../src/exchange/arrival.ts'
import { laterPart } from '../page/laterPart.ts'

/** One of those that came together. */
interface Arrived {
  readonly arrival: Arrival
}

/** Opens the chats of a file. @throws HycoraError as `importChatFile`, `laterPart`. */
export async function admitChat(
  { file, fileName }: ChatArrival,
  group: GroupArrival | undefined,
): Promise<void> {
  const { importChatFile } = await laterPart(() => import('../chat/chatFiles.ts'))
  await importChatFile(new File([file], fileName), group)
}

/** Opens a chat of those of a group who are here. @throws HycoraError as `beginGroupFile`, `laterPart`. */
export async function admitGroup(arrival: GroupArrival): Promise<void> {
  const { beginGroupFile } = await laterPart(() => import('../chat/chatFiles.ts'))
  await beginGroupFile(arrival, arrival.fileName)
}

/** The group whose chat a file is, of those that came with it. */
export function groupOf({ fileName }: ChatArrival, entries: readonly Arrived[]): GroupArrival | undefined {
  const stem = fileName.replace(/\.jsonl?$/i, '')
  return entries
    .flatMap(({ arrival }) => (arrival.kind === 'group' ? [arrival] : []))
    .find(({ group }) => group.chats.includes(stem))
}

/** Whether a chat of a group came with it. */
export function chatsOf(group: GroupArrival, entries: readonly Arrived[]): boolean {
  return entries.some(({ arrival }) => arrival.kind === 'chat' && groupOf(arrival, entries) === group)
}
