import { lazy, Suspense, useState } from 'react'

import { AddButton } from '../arrivals/AddButton.tsx'
import { BackstageButton } from '../shared/BackstageButton.tsx'
import { EngineNotices } from '../shared/EngineNotices.tsx'
import { InstallButton } from '../shared/InstallButton.tsx'
import { meet, useChats } from '../stores/chat/chats.ts'
import { useCast } from '../stores/company/cast.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { useSettings } from '../stores/page/settings.ts'
import { BlendTile } from './BlendTile.tsx'
import { CallMe } from './CallMe.tsx'
import { CastTools } from './CastTools.tsx'
import { GroupTile } from './GroupTile.tsx'
import type { CastMember } from '../../src/cast/member.ts'
import styles from './CastScreen.module.css'
import { hasTags } from './castTags.ts'
import { LastChats } from './LastChats.tsx'
import { orderCast } from './orderCast.ts'
import { RoleTile } from './RoleTile.tsx'
import { RehearsalNotice } from '../teach/run/RehearsalNotice.tsx'
import { TeachTile } from './TeachTile.tsx'
import { UntaughtNotice } from './UntaughtNotice.tsx'
import { castText } from '../words/cast.ts'

/** From this many roles on, a search helps more than it disturbs. */
const SEARCH_FROM = 12

/** From this many on, tags tell them apart. */
const TAGS_FROM = 16

/** Up to this many stand in rows of three, so that two rows are whole. */
const FEW = 6

const TagFilter = lazy(() => import('./TagFilter.tsx'))

/** The first thing seen: who is here, and whom was talked to last. */
export function CastScreen() {
  const members = useCast((state) => state.members)
  const isSettled = useCast((state) => state.isSettled)
  const [search, setSearch] = useState('')
  const [chosen, setChosen] = useState<readonly string[]>([])
  const settings = useSettings()
  const summaries = useChats((state) => state.summaries)
  const isMany = members.length >= SEARCH_FROM
  const ordered = isMany ? orderCast(members, settings, summaries) : members
  const tags = members.length >= TAGS_FROM ? chosen : []
  const shown = ordered.filter((member) => matches(member, search) && hasTags(member, tags))
  const isNarrowed = search !== '' || tags.length > 0
  return (
    <div className={styles.page}>
      <Bar />
      <main className={[styles.main, members.length <= FEW ? styles.few : ''].join(' ')}>
        <div className={styles.welcome}>
          <h1 className={styles.question} tabIndex={-1} data-arrival="">
            {castText('question')}
          </h1>
          <CallMe />
        </div>
        <div className={styles.notices}>
          <EngineNotices />
          <RehearsalNotice />
          <UntaughtNotice />
        </div>
        {summaries.some((chat) => chat.started && !chat.deleted) && <LastChats />}
        {isMany && <CastTools search={search} onSearch={setSearch} />}
        {members.length >= TAGS_FROM && (
          <Suspense>
            <TagFilter members={members} chosen={chosen} onChoose={setChosen} />
          </Suspense>
        )}
        <section aria-label={castText('label')}>
          <ul className={styles.grid}>
            {shown.map((member) => (
              <RoleTile
                key={member.key}
                member={member}
                canPrefer={isMany}
                onOpen={() => void meet(member.key)}
              />
            ))}
            {!isNarrowed && members.length > 1 && <GroupTile />}
            {!isNarrowed && <BlendTile />}
            {!isNarrowed && <TeachTile />}
          </ul>
          {isSettled && shown.length === 0 && <EmptyCast isSearching={isNarrowed} />}
        </section>
      </main>
      <footer className={styles.foot}>
        <p>{castText('foot')}</p>
        <InstallButton />
      </footer>
    </div>
  )
}

function Bar() {
  return (
    <header className={styles.bar}>
      <p className={styles.mark}>HyCoRA playground</p>
      <div className={styles.tools}>
        <AddButton />
        <BackstageButton />
      </div>
    </header>
  )
}

function EmptyCast({ isSearching }: { readonly isSearching: boolean }) {
  const isReady = useEngine((state) => state.phase === 'ready')
  if (isSearching) return <p className={styles.empty}>{castText('nobody.found')}</p>
  return <p className={styles.empty}>{isReady ? castText('nobody') : castText('nobody.yet')}</p>
}

function matches(member: CastMember, search: string): boolean {
  const wanted = search.trim().toLowerCase()
  return [member.displayName, member.key, member.line, ...(member.card?.tags ?? [])].some((text) =>
    text.toLowerCase().includes(wanted),
  )
}
