import { Button } from '../shared/Button.tsx'
import { CopyDiagnostics } from '../shared/CopyDiagnostics.tsx'
import { Detail } from '../shared/Detail.tsx'
import { InstallButton } from '../shared/InstallButton.tsx'
import { bytes } from '../shared/format.ts'
import { eraseDeletedChats, useChats } from '../stores/chat/chats.ts'
import { useEngine } from '../stores/engine/engine.ts'
import type { EngineState } from '../stores/engine/engine.ts'
import { routeHash } from '../stores/page/route.ts'
import styles from './About.module.css'
import { Section } from './Section.tsx'
import asides from '../shared/Asides.module.css'
import { backstageText } from '../words/backstage.ts'
import { Rich } from '../shared/Rich.tsx'

/** The machine: the model, the graphics card, the disk. */
export function About() {
  const info = useEngine((state) => state.info)
  const deleted = useChats((state) => state.summaries.filter((chat) => chat.deleted).length)
  return (
    <Section title={backstageText('about')}>
      <dl className={styles.facts}>
        {factsOf(useEngine())
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
          <Detail detail={warning} isSentence />
        </p>
      ))}
      <p className={asides.note}>
        <Rich
          text={backstageText('about.science')}
          tags={{ a: <a href={routeHash({ screen: 'science' })} /> }}
        />{' '}
        <Rich text={backstageText('about.bench')} tags={{ a: <a href={routeHash({ screen: 'bench' })} /> }} />
      </p>
      <div className={styles.buttons}>
        <InstallButton />
        <CopyDiagnostics />
        {deleted > 0 && (
          <Button
            label={backstageText('about.erase', { deleted })}
            look="danger"
            onClick={() => void eraseDeletedChats()}
          />
        )}
      </div>
    </Section>
  )
}

type Fact = readonly [name: string, value: string | false | null | undefined]

/** What is known of the model and of what computes it; what is not has no value. */
function factsOf({ backbone, info, report }: EngineState): readonly Fact[] {
  const card = [report?.vendor, report?.architecture, report?.description].filter(Boolean).join(' · ')
  return [
    [backstageText('about.model'), backbone && `${backbone.name}, ${backbone.licence}`],
    [
      backstageText('about.made'),
      info &&
        backstageText('about.made.of', {
          layers: info.layers,
          vocabulary: info.vocabulary,
          weightFormat: info.weightFormat,
        }),
    ],
    [
      backstageText('about.context'),
      info && backstageText('about.context.tokens', { context: info.context }),
    ],
    [backstageText('about.card'), report && (report.status === 'ready' ? card : softwareText(card))],
    [
      backstageText('about.memory'),
      info?.computing.path === 'webgpu' &&
        bytes(Object.values(info.gpuBytes).reduce((sum, size) => sum + size, 0)),
    ],
  ]
}

/** Why there is none: a processor that plays one has a name, too. */
function softwareText(card: string): string {
  return card === '' ? backstageText('about.card.none') : backstageText('about.card.software', { card })
}
