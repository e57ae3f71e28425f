import { CopyButton } from '../shared/CopyButton.tsx'
import { DetailParagraph } from '../shared/Detail.tsx'
import { SideScreen } from '../shared/SideScreen.tsx'
import { Notice } from '../shared/Notice.tsx'
import { useBench } from '../stores/engine/bench.ts'
import { readCardResult } from '../../src/core/cardResult.ts'
import { benchText } from '../words/bench.ts'
import { sharedText } from '../words/shared.ts'
import { BenchForm } from './BenchForm.tsx'
import { CardFigures } from './CardFigures.tsx'
import styles from './BenchScreen.module.css'

/** Results that people have sent. */
const SENT = Object.entries(
  import.meta.glob<unknown>('../../docs/cards/*.json', { eager: true, import: 'default' }),
).map(([path, value]) => readCardResult(value, path))

/** Measures the visitor's graphics card, shows what it can do, and what others can. */
export function BenchScreen() {
  const { phase, result, failure } = useBench()
  return (
    <SideScreen title={sharedText('screen.bench')} about={benchText('about')}>
      <BenchForm />
      {phase === 'failed' && failure && (
        <Notice title={benchText('failed')} tone="danger">
          <DetailParagraph detail={failure.message} />
        </Notice>
      )}
      {result && (
        <section className={styles.result} aria-labelledby="this-card">
          <h2 id="this-card" className={styles.title}>
            {benchText('this')}
          </h2>
          <CardFigures result={result} />
          <div className={styles.buttons}>
            <CopyButton label={benchText('copy')} text={() => JSON.stringify(result, null, 2)} />
          </div>
        </section>
      )}
      <section className={styles.result} aria-labelledby="other-cards">
        <h2 id="other-cards" className={styles.title}>
          {benchText('others')}
        </h2>
        {SENT.map((sent) => (
          <CardFigures key={`${sent.device.driver} ${sent.browser} ${sent.date}`} result={sent} />
        ))}
      </section>
    </SideScreen>
  )
}
