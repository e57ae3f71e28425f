// Scope: session. Who is being handed on, and in which forms.
import type { SharedForm, ShareParams } from '../../../src/exchange/share.ts'
import type { JsonRecord } from '../../../src/core/json.ts'
import type { PackFile } from '../../../src/formats/packFacts.ts'
import { create } from 'zustand'

import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { askFileWorker } from '../../../src/engine/fileClient.ts'
import type { KeptPack } from '../../../src/storage/packLibrary.ts'
import { withDrawing } from '../../../src/cast/face.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { servedDrawing, portraitPng } from './portraitFiles.ts'
import { openFileWorker } from '../engine/workers.ts'
import { useCast } from '../company/cast.ts'
import { shippedPack, useEngine } from '../engine/engine.ts'
import { packFileOf, useGuests } from '../company/guests.ts'
import { storeText } from '../../words/store.ts'

/** Who is handed on: one of the cast, or a pack with everybody in it. */
export type ShareSubject =
  | { readonly kind: 'member'; readonly member: CastMember }
  | { readonly kind: 'pack'; readonly pack: KeptPack }

interface ShareState {
  readonly subject: ShareSubject | null
  /** In the order in which they were made. */
  readonly forms: readonly SharedForm[]
  readonly isBusy: boolean
  readonly failure: Failure | null
}

const initial: ShareState = { subject: null, forms: [], isBusy: false, failure: null }

export const useShare = create<ShareState>()(() => initial)

let controller: AbortController | undefined

/** Opens the sheet, and makes every form that they can be handed on in. */
export async function openShare(subject: ShareSubject): Promise<void> {
  controller?.abort()
  controller = new AbortController()
  const { signal } = controller
  useShare.setState({ ...initial, subject, isBusy: true }, true)
  try {
    const params = await paramsOf(subject)
    await askFileWorker(openFileWorker, 'share', params, {
      signal,
      onYield: (form) => useShare.setState(({ forms }) => ({ forms: [...forms, form] })),
    })
    if (!signal.aborted) useShare.setState({ isBusy: false })
  } catch (thrown) {
    if (signal.aborted) return
    useShare.setState({ isBusy: false, failure: failureOf(thrown, 'format-invalid') })
  }
}

/** Closes the sheet. */
export function closeShare(): void {
  controller?.abort()
  useShare.setState(initial, true)
}

async function paramsOf(subject: ShareSubject): Promise<ShareParams> {
  const headDim = useEngine.getState().info?.headDim ?? null
  const home = shippedPack()
  if (subject.kind === 'pack') {
    const { pack } = subject
    const { name } = pack
    const file = { name, file: await packFileOf(pack.id) }
    const nothing = { card: null, original: null, assets: new Map(), portrait: null }
    const cards = { cards: new Map(), ...(pack.cards && { changedCards: pack.cards }) }
    return { ...nothing, ...cards, pack: file, role: null, name, home, headDim }
  }
  const { member } = subject
  const kept = useGuests.getState().cards.find(({ id }) => id === member.guest?.id)
  const pack = await packOf(member)
  const changedCards = useGuests.getState().packs.find(({ id }) => id === member.guest?.id)?.cards
  return {
    pack,
    role: pack && member.role,
    name: member.displayName,
    cards: cardsOf(member),
    ...(changedCards && { changedCards }),
    card: await drawnCard(member),
    original: kept?.original ?? null,
    assets: kept?.assets ?? new Map<string, Blob>(),
    portrait: await portraitPng(member),
    home,
    headDim,
  }
}

/** The pack that somebody is of; null for those who play by a text. */
async function packOf({ guest, isTrained }: CastMember): Promise<PackFile | null> {
  if (isTrained !== true) return null
  if (!guest) {
    const pack = shippedPack()
    const { backbone } = useEngine.getState()
    return (
      pack && {
        name: backbone ? storeText('pack.companyOf', { name: backbone.name }) : pack.name,
        file: pack.file,
      }
    )
  }
  const kept = useGuests.getState().packs.find(({ id }) => id === guest.id)
  return { name: kept?.name ?? storeText('pack.company'), file: await packFileOf(guest.id) }
}

/** What the page knows of the company that came with the model, whose pack may have no cards. */
function cardsOf({ guest }: CastMember): ReadonlyMap<string, JsonRecord> {
  if (guest) return new Map()
  const { members } = useCast.getState()
  return new Map(
    members.flatMap(({ guest: other, role, cardData }) =>
      !other && role !== null && cardData ? [[role, cardData] as const] : [],
    ),
  )
}

/** The card with the drawn face in it, so that it is there wherever the pack goes. */
async function drawnCard(member: CastMember): Promise<JsonRecord | null> {
  const drawing = await servedDrawing(member)
  return drawing === null ? member.cardData : withDrawing(member.cardData ?? {}, drawing)
}
