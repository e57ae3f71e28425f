import type { ReactNode } from 'react'

import type { Accent } from '../../src/cast/face.ts'
import { accentProps } from './Portrait.tsx'
import { routeHash } from '../stores/page/route.ts'
import { BackstageButton } from './BackstageButton.tsx'
import { EngineNotices } from './EngineNotices.tsx'
import { Icon } from './Icon.tsx'
import styles from './SideScreen.module.css'
import { sharedText } from '../words/shared.ts'

interface SideScreenProps {
  readonly title: string
  /** What can be done here. */
  readonly about: string
  readonly accent?: Accent | undefined
  readonly children: ReactNode
}

/** A screen beside the cast: the way back, what it is for, what troubles the engine, and its work. */
export function SideScreen({ title, about, accent, children }: SideScreenProps) {
  return (
    <div className={styles.page}>
      <header className={styles.bar}>
        <a className={styles.back} href={routeHash({ screen: 'cast' })}>
          <Icon name="back" />
          {sharedText('cast')}
        </a>
        <BackstageButton />
      </header>
      <main className={styles.main} {...accentProps(accent)}>
        <div className={styles.welcome}>
          <h1 className={styles.title} tabIndex={-1} data-arrival="">
            {title}
          </h1>
          <p className={styles.about}>{about}</p>
        </div>
        <EngineNotices />
        {children}
      </main>
    </div>
  )
}
