import type { Evaluation } from '../evaluate/evaluate.ts'
import type { Report } from '../evaluate/measures.ts'
import type { RelevanceShares } from '../evaluate/relevance.ts'

function number(value: number | null | undefined): string {
  return value?.toFixed(3) ?? '-'
}

/** The figures of all measures that were taken, for a person. */
export function formatReport({ relevance, facts, conversation, ...voice }: Report): string {
  const parts = isWhole(voice) ? [formatEvaluation(voice)] : []
  if (relevance) {
    const { test, wording } = relevance.splits
    parts.push(
      `${relevanceLine('relevance', relevance)}\n`,
      test ? `${relevanceLine('  unseen questions', test)}\n` : '',
      wording ? `${relevanceLine('  unseen wordings', wording)}\n` : '',
    )
  }
  if (facts) {
    const { accuracy, contradicted, asked } = facts
    parts.push(`facts: right ${number(accuracy)}, contradicted ${number(contradicted)}, ${asked} asked\n`)
  }
  if (conversation) {
    const { repeats, contradicts, names, turns } = conversation
    const shares = `repeat ${number(repeats)}, contradict ${number(contradicts)}, name another ${number(names)}`
    parts.push(`conversation: ${shares}, ${turns} turns\n`)
  }
  return parts.join('')
}

function relevanceLine(label: string, { accuracy, ceiling, floor, answers }: RelevanceShares): string {
  return `${label}: generated ${number(accuracy)}, own answers ${number(ceiling)}, shuffled ${number(floor)}, ${answers} answers`
}

function isWhole(voice: Partial<Evaluation>): voice is Evaluation {
  return voice.nll !== undefined
}

/** The figures as tables for a person. */
function formatEvaluation({
  roles,
  nll,
  roleSwap,
  roleIdentification: { accuracy, ceiling, floor },
  details,
  ...figures
}: Evaluation): string {
  const width = Math.max(8, ...roles.map((role) => role.length))
  const row = (label: string, values: readonly string[]): string =>
    [label.padEnd(width), ...values.map((value) => value.padStart(9))].join(' ').trimEnd()
  const { bare, prompted, role: own } = details.nllByRole
  return [
    row('NLL', ['bare', 'prompted', 'role']),
    ...roles.map((role, index) => row(role, [bare[index], prompted[index], own[index]].map(number))),
    row('mean', [nll.bare, nll.prompted, nll.role].map(number)),
    '',
    `role swap: accuracy ${number(roleSwap.accuracy)}, a reply ${number(roleSwap.perReply)}, margin ${number(roleSwap.margin)}`,
    `role named: generated ${number(accuracy)}, held out ${number(ceiling)}, bare ${number(floor)}, chance ${number(1 / roles.length)}`,
    `distinct-2 ${number(figures.distinct2)}, BLEU-4 ${number(figures.bleu)}, ROUGE-L ${number(figures.rouge)}`,
    `${details.replies} replies measured, ${details.generations} generated`,
    '',
  ].join('\n')
}
