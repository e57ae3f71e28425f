import { lazy, Suspense, useEffect, useRef } from 'react'

import type { Chat } from '../../src/storage/chat.ts'
import { accentProps } from '../shared/Portrait.tsx'
import { Button } from '../shared/Button.tsx'
import { findMember, useCast } from '../stores/company/cast.ts'
import { useChats } from '../stores/chat/chats.ts'
import { showBackstage } from '../stores/page/session.ts'
import { About } from './About.tsx'
import styles from './Backstage.module.css'
import { ChatSection } from './ChatSection.tsx'
import { ModelSection } from './ModelSection.tsx'
import { MoodSection } from './MoodSection.tsx'
import { PathSection } from './PathSection.tsx'
import { RoleSection } from './RoleSection.tsx'
import { SeedRow } from './SeedRow.tsx'
import { StorageSection } from './StorageSection.tsx'
import { ViewSection } from './ViewSection.tsx'
import { backstageText } from '../words/backstage.ts'
import { sharedText } from '../words/shared.ts'

/** These come with the drawer's first opening. */
const PersonaSection = lazy(() => import('./PersonaSection.tsx'))
const VoiceSection = lazy(() => import('./VoiceSection.tsx'))
const GroupSection = lazy(() => import('./GroupSection.tsx'))
const MindSection = lazy(() => import('./MindSection.tsx'))

/** The drawer with the machine in it: who plays, how strongly, in what mood, and on what. */
export function Backstage() {
  const chat = useChats((state) => state.open)
  const members = useCast((state) => state.members)
  const member = findMember(members, chat?.key ?? null)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const before = document.activeElement
    heading.current?.focus()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <aside
      className={styles.drawer}
      aria-labelledby="backstage"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        // What is being written is kept when its field is left.
        if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
        showBackstage(false)
      }}
      {...accentProps(member?.accent)}
    >
      <header className={styles.header}>
        <h2 id="backstage" className={styles.title} tabIndex={-1} ref={heading}>
          {sharedText('backstage')}
        </h2>
        <Button
          label={backstageText('close')}
          icon="close"
          iconOnly
          look="quiet"
          onClick={() => showBackstage(false)}
        />
      </header>
      {chat && <WhoPlays chat={chat} />}
      <Suspense>
        {member && <VoiceSection key={member.key} member={member} />}
        <PersonaSection chat={chat} />
      </Suspense>
      <MoodSection />
      <SeedRow />
      {chat && (
        <Suspense>
          <MindSection key={chat.id} chat={chat} />
        </Suspense>
      )}
      {chat && <ChatSection chat={chat} />}
      <ModelSection />
      <PathSection />
      <ViewSection />
      <StorageSection />
      <About />
    </aside>
  )
}

/** One who plays, or several. */
function WhoPlays({ chat }: { readonly chat: Chat }) {
  if (!chat.group) return <RoleSection chat={chat} />
  return (
    <Suspense>
      <GroupSection chat={chat} />
    </Suspense>
  )
}
