import type { Sample } from '../train/data/samples.ts'

/** What is put around what is learnt. */
const [OPEN, CLOSE] = ['⟦', '⟧']

function titleOf({ role, line, file, split, tokens, cut }: Sample): string {
  const place = line === undefined ? '' : `, ${file === undefined ? '' : `${file} `}line ${line}`
  const gone = [
    ...(cut.turns > 0 ? [`${cut.turns} turns cut from the front`] : []),
    ...(cut.tokens > 0 ? [`${cut.tokens} tokens cut from the end`] : []),
  ]
  const length = tokens === null ? [] : [`${tokens} tokens`]
  const facts = [split === 'train' ? 'to learn' : 'held out', ...length, ...gone]
  return `── ${role}${place} (${facts.join(', ')})`
}

/** Samples as text: whose row, which line, and the row as the model reads it, what is learnt in brackets. */
export function formatSamples(samples: readonly Sample[]): string {
  const blocks = samples.map((sample) => {
    const text = sample.parts.reduce((all, { text: part, isLearnt }, index) => {
      const [before, behind] = [sample.parts[index - 1], sample.parts[index + 1]]
      const open = isLearnt && !before?.isLearnt ? OPEN : ''
      return `${all}${open}${part}${isLearnt && !behind?.isLearnt ? CLOSE : ''}`
    }, '')
    return `${titleOf(sample)}\n${text.trimEnd()}\n`
  })
  return `${blocks.join('\n')}\n${OPEN} ${CLOSE} is what is learnt; all else stands there for it.\n`
}
