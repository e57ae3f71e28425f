import { SideScreen } from '../shared/SideScreen.tsx'
import record from './experiments.json' with { type: 'json' }
import styles from './ScienceScreen.module.css'
import { scienceText } from '../words/science.ts'
import { sharedText } from '../words/shared.ts'
import { Rich } from '../shared/Rich.tsx'

type Section = (typeof record.sections)[number]

/** Addresses of the pictures by their files. */
const PICTURES = import.meta.glob<string>('../../scale/experiments/results/*.svg', {
  eager: true,
  query: '?url',
  import: 'default',
})

/** What was measured of the method, as docs/science.md has it: written by `tools/science.mjs`, nothing is computed here. */
export function ScienceScreen() {
  return (
    <SideScreen title={sharedText('screen.science')} about={scienceText('about')}>
      {record.sections.map((section) => (
        <Experiment key={section.id} section={section} />
      ))}
      <section className={styles.experiment} aria-labelledby="unmeasured">
        <h2 id="unmeasured" className={styles.title}>
          {scienceText('unmeasured')}
        </h2>
        <ul className={styles.list}>
          {record.unmeasured.map((line) => (
            <li key={line} lang="en">
              {line.replaceAll('`', '')}
            </li>
          ))}
        </ul>
      </section>
    </SideScreen>
  )
}

function Experiment({ section }: { readonly section: Section }) {
  const { id, title, question, answer, overturn, setting, command, picture } = section
  const source = picture && PICTURES[`../../scale/experiments/results/${picture.name}.svg`]
  return (
    <section className={styles.experiment} aria-labelledby={id}>
      <h2 id={id} className={styles.title} lang="en">
        {title}
      </h2>
      <p className={styles.question} lang="en">
        {question}
      </p>
      <p lang="en">{answer}</p>
      {source && (
        <div
          className={styles.scroll}
          role="region"
          aria-label={scienceText('picture', { title })}
          tabIndex={0}
        >
          <img className={styles.picture} src={source} alt={picture.alt} loading="lazy" />
        </div>
      )}
      <Figures section={section} />
      <p className={styles.note} lang="en">
        {setting}
      </p>
      <p className={styles.note}>{scienceText('overturn', { overturn })}</p>
      <p className={styles.note}>
        <Rich text={scienceText('madeBy', { command })} tags={{ code: <code /> }} />
      </p>
    </section>
  )
}

function Figures({ section: { title, table } }: { readonly section: Section }) {
  const [head = [], ...rows] = table
  return (
    <div className={styles.scroll} role="region" aria-label={scienceText('table', { title })} tabIndex={0}>
      <table className={styles.table} lang="en">
        <thead>
          <tr>
            {head.map((cell, column) =>
              cell === '' ? (
                <td key={column} />
              ) : (
                <th key={column} scope="col">
                  {cell}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, column) =>
                column === 0 ? (
                  <th key={column} scope="row">
                    {cell}
                  </th>
                ) : (
                  <td key={column}>{cell}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
