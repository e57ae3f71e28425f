import { lazy, Suspense, useState } from 'react'

import { arrivingMember, cardMember } from '../../src/cast/member.ts'
import type { CastMember } from '../../src/cast/member.ts'
import type { JsonRecord } from '../../src/core/json.ts'
import { Button } from '../shared/Button.tsx'
import { changeCard, changeRoleCard, useGuests } from '../stores/company/guests.ts'
import type { Editable } from './CardEditor.tsx'
import asides from '../shared/Asides.module.css'
import { backstageText } from '../words/backstage.ts'

/** Opened by those who change somebody. */
const CardEditor = lazy(() => import('./CardEditor.tsx'))

/** What is changed of a guest, and where it is kept. */
interface Edit {
  readonly before: Editable
  readonly drawnOn: (card: JsonRecord) => string | Blob | null
  readonly onKeep: (changed: Editable) => Promise<void>
  readonly onUndo: () => Promise<void>
}

/** Opens the card of a guest, to be changed; of whoever came with the page, says why there is none. */
export function EditGuest({ member }: { readonly member: CastMember }) {
  const [isOpen, setIsOpen] = useState(false)
  const edit = useEdit(member)
  const { displayName, isTrained } = member
  if (!member.guest) {
    return <p className={asides.note}>{backstageText('who.shipped', { displayName })}</p>
  }
  if (!edit) return null
  return (
    <div>
      <Button label={backstageText('who.edit')} icon="edit" onClick={() => setIsOpen(true)} />
      {isOpen && (
        <Suspense>
          <CardEditor
            {...edit}
            name={displayName}
            isTrained={isTrained !== false}
            onClose={() => setIsOpen(false)}
          />
        </Suspense>
      )}
    </div>
  )
}

/** How a guest is changed: a card that was brought in whole, or what is said of a role beside its pack. */
function useEdit({ guest, role: name }: CastMember): Edit | null {
  const kept = useGuests(({ cards }) => cards.find(({ id }) => id === guest?.id))
  const pack = useGuests(({ packs }) => packs.find(({ id }) => id === guest?.id))
  if (kept) {
    return {
      before: kept,
      drawnOn: (card) => cardMember({ ...kept, card, portrait: null }).portrait,
      onKeep: (changed) => changeCard({ ...kept, ...changed }),
      onUndo: () => changeCard(kept),
    }
  }
  const role = pack?.roles.find((one) => one.name === name)
  if (!pack || !role) return null
  const dress = {
    card: pack.cards?.get(role.name) ?? null,
    portrait: pack.portraits.get(role.name) ?? null,
  }
  const shown = dress.card ?? role.card ?? {}
  return {
    before: { card: shown, portrait: dress.portrait },
    drawnOn: (card) => arrivingMember({ ...role, card }, pack.roles).portrait,
    // A card that was only looked at stays the file's.
    onKeep: ({ card, portrait }) =>
      changeRoleCard(pack, role.name, { card: card === shown ? dress.card : card, portrait }),
    onUndo: () => changeRoleCard(pack, role.name, dress),
  }
}
