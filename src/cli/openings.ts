import { readFile, writeFile } from 'node:fs/promises'

import type { AnswerEnd } from '../core/dialogue.ts'
import { check } from '../core/errors.ts'
import { lineOf, nameOf } from '../cast/cardTexts.ts'
import { integerOption, numberOption, parseArguments } from './arguments.ts'
import { openSpeaker } from './engine.ts'
import type { OpenedSpeaker } from './engine.ts'
import { ROLES, VISITOR, pageAnswer, castCard, greetingOf } from './speakers.ts'
import type { Speaker } from './speakers.ts'

/** What everybody is asked; never changed, so that answers can be compared over the years. */
const OPENINGS = [
  'Hello! Who are you?',
  'What is your name, and where do you come from?',
  'Tell me about your day.',
  'What are you afraid of?',
  'Whom do you love?',
  'What makes you angry?',
  'Is there anything you regret?',
  'I am so tired tonight.',
  'I quarrelled with my best friend. How do I make it up?',
  'I failed at something I worked on for years.',
  'Tell me a story.',
  'Tell me a joke.',
  'Tell me a secret.',
  'What do you think of the sea?',
  'What would you do with a thousand pounds?',
  'Do you believe in ghosts?',
  'What is the capital of France?',
  'What is seven times eight?',
  'Are you a machine?',
  'I have to go now. Goodbye!',
]

interface NamedSpeaker extends Speaker {
  readonly name: string
}

const BARE = { system: null, before: [], casting: null }

const [BEGIN, END] = ['<!-- openings -->', '<!-- end of openings -->']

/** How an answer that did not end by itself is marked. */
const MARKS: Readonly<Record<AnswerEnd, string>> = {
  end: '',
  cancelled: '',
  stop: '',
  length: ' …',
  context: ' …',
  loop: ' ⟲',
}

/**
 * `openings`: the same twenty opening lines answered by the starter, by SmolLM2 bare and by SmolLM2 told to be four of the
 * cast, or the first of them, unedited, as Markdown to stdout, or with `--into` between two marks of a file.
 */
export async function openings(words: readonly string[]): Promise<void> {
  const { options } = parseArguments(words, {
    values: ['engine', 'seed', 'max-tokens', 'first', 'into'],
    flags: [],
  })
  const engineName = options.get('engine') ?? 'ort'
  const seed = numberOption(options, 'seed', 1)
  const maxTokens = numberOption(options, 'max-tokens', 64)
  const first = integerOption(options, 'first', OPENINGS.length, { least: 1 })
  const asked = OPENINGS.slice(0, first)
  const open = (backbone: string): Promise<OpenedSpeaker> =>
    openSpeaker(
      new Map([
        ['backbone', backbone],
        ['engine', engineName],
      ]),
    )
  const [starter, large] = [await open('starter'), await open('smollm2-135m-instruct')]
  const speakers: readonly NamedSpeaker[] = [
    { name: 'the starter', engine: starter, ...BARE },
    { name: 'SmolLM2', engine: large, ...BARE },
    ...(await Promise.all(ROLES.map((role) => speakerOf(role, large)))),
  ]
  const sections: string[] = []
  for (const [index, opening] of asked.entries()) {
    const rows: string[] = []
    for (const speaker of speakers) {
      const { text, stop } = await pageAnswer(speaker, opening, { seed, maxTokens })
      rows.push(`| ${speaker.name} | ${cellOf(text)}${MARKS[stop]} |`)
    }
    sections.push([`**${index + 1}. ${opening}**`, '', '| | |', '|---|---|', ...rows].join('\n'))
    process.stderr.write(`${index + 1} of ${asked.length}\n`)
  }
  const markdown = sections.join('\n\n')
  const into = options.get('into')
  if (into === undefined) process.stdout.write(`${markdown}\n`)
  else await insert(into, markdown)
}

/** A character of the cast as the page lets it play without an adapter. */
async function speakerOf(role: string, engine: OpenedSpeaker): Promise<NamedSpeaker> {
  const card = await castCard(role)
  return {
    name: `as ${nameOf(card)}`,
    engine,
    system: lineOf(card, { user: VISITOR }),
    before: [greetingOf(card)],
    casting: null,
  }
}

/** An answer in a cell of a Markdown table, with nothing of it taken for markup. */
function cellOf(text: string): string {
  return text.replaceAll(/[\\|*_`<>[\]]/g, (mark) => `\\${mark}`).replaceAll(/\s*\n\s*/g, '<br>')
}

async function insert(path: string, markdown: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  check(begin >= 0 && end > begin, 'usage', () => `${path} lacks the marks ${BEGIN} and ${END}`)
  await writeFile(path, `${text.slice(0, begin + BEGIN.length)}\n\n${markdown}\n\n${text.slice(end)}`)
}
