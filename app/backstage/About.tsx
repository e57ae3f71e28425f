import { Button } from '../shared/Button.tsx'
import { CopyDiagnostics } from '../shared/CopyDiagnostics.tsx'
import { InstallButton } from '../shared/InstallButton.tsx'
import { bytes, count } from '../shared/format.ts'
import { eraseDeletedChats, useChats } from '../stores/chat/chats.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { routeHash } from '../stores/page/route.ts'
import styles from './About.module.css'
import { Section } from './Section.tsx'
import asides from '../shared/Asides.module.css'

/** The machine: the model, the graphics card, the disk. */
export function About() {
  const { backbone, info, report } = useEngine()
  const deleted = useChats((state) => state.summaries.filter((chat) => chat.deleted).length)
  const card = [report?.vendor, report?.architecture, report?.description].filter(Boolean).join(' · ')
  const rows: readonly (readonly [string, string | false | null | undefined])[] = [
    ['Model', backbone && `${backbone.name}, ${backbone.licence}`],
    [
      'Made of',
      info && `${info.layers} layers, ${count(info.vocabulary)} tokens known, ${info.weightFormat}`,
    ],
    ['Remembers', info && `${count(info.context)} tokens`],
    [
      'Graphics card',
      report && (report.status === 'ready' ? card : `none${card && `: the processor (${card})`}`),
    ],
    [
      'Its memory',
      info?.computing.path === 'webgpu' &&
        bytes(Object.values(info.gpuBytes).reduce((sum, size) => sum + size, 0)),
    ],
  ]
  return (
    <Section title="The machine">
      <dl className={styles.facts}>
        {rows
          .filter(([, fact]) => fact)
          .map(([name, fact]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{fact}</dd>
            </div>
          ))}
      </dl>
      {info?.warnings.map((warning) => (
        <p key={warning} className={asides.note}>
          {warning}
        </p>
      ))}
      <p className={asides.note}>
        <a href={routeHash({ screen: 'science' })}>Science</a>: what was measured of the method, and what
        would overturn it.
      </p>
      <div className={styles.buttons}>
        <InstallButton />
        <CopyDiagnostics />
        {deleted > 0 && (
          <Button
            label={
              deleted === 1 ? 'Erase one deleted chat for good' : `Erase ${deleted} deleted chats for good`
            }
            look="danger"
            onClick={() => void eraseDeletedChats()}
          />
        )}
      </div>
    </Section>
  )
}
