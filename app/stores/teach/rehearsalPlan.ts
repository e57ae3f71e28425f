// Scope: session. How the next rehearsal is to go, until it begins.
import { create } from 'zustand'

import type { PackFile } from '../../../src/formats/packFacts.ts'
import type { DatasetReport } from '../../../src/engine/protocol.ts'
import type { KeptPack } from '../../../src/storage/packLibrary.ts'
import type { RunRecord } from '../../../src/storage/runs.ts'
import { shippedPack, useEngine } from '../engine/engine.ts'
import { packFileOf, useGuests } from '../company/guests.ts'
import { measureLines, useLines } from './lines.ts'
import { startTraining } from './training.ts'
import { configOf, valueOf, withOption } from './config.ts'
import type { ChosenOptions } from './config.ts'
import { READING } from './options.ts'
import type { OptionValue, TrainingOption } from './options.ts'
import { storeText } from '../../words/store.ts'

export type Way = 'all' | 'quick' | 'full'

interface RehearsalPlan {
  /** Null until the visitor chooses. */
  readonly way: Way | null
  /** The new role, where the lines have several. */
  readonly role: string | null
  /** The kept pack whose company a newcomer joins; null is the one that came with the model. */
  readonly joins: string | null
  readonly overrides: ChosenOptions
  /** One a line. */
  readonly prompts: string
  readonly everySteps: number
}

const initial: RehearsalPlan = {
  way: null,
  role: null,
  joins: null,
  overrides: {},
  prompts: 'Who are you?\nWhat do you love most?\nTell me something that nobody knows.',
  everySteps: 10,
}

/** The line before every chat, where it is the company's custom and nothing else was written. */
const ROLE_LINE = 'You are {name}.'

export const useRehearsalPlan = create<RehearsalPlan>()(() => initial)

/** Changes the plan. */
export function changePlan(changes: Partial<Omit<RehearsalPlan, 'overrides'>>): void {
  useRehearsalPlan.setState(changes)
}

/** Sets one of the settings. */
export function setOption(option: TrainingOption, value: OptionValue): void {
  useRehearsalPlan.setState(({ overrides }) => ({ overrides: withOption(overrides, option, value) }))
  if (option.key === 'maxTokens' || option.key === 'seed') {
    const now = valueOf(useRehearsalPlan.getState().overrides, option)
    if (typeof now === 'number') measureLines({ [option.key]: now })
  }
}

/** Sets all settings of the fold back; the number of steps stays. */
export function resetOptions(): void {
  useRehearsalPlan.setState(({ overrides }) => {
    const { steps } = overrides
    return { overrides: steps === undefined ? {} : { steps } }
  })
  measureLines(READING)
}

/** What the plan comes to with these lines and this company: what is left open is decided here. */
export interface SettledPlan {
  readonly way: Way
  readonly role: string
  /** Why it cannot begin; null where it can. */
  readonly obstacle: string | null
  /** Whether a company is there that a new role can join. */
  readonly canJoin: boolean
}

/** The company that a newcomer joins, as far as the plan needs to know it. */
export interface Company {
  readonly roles: readonly { readonly name: string; readonly system: string | null }[]
}

/** The kept packs that were trained on the model that is loaded. */
export function packsToJoin(
  packs: readonly KeptPack[],
  info: { readonly fingerprint: string } | null,
): readonly KeptPack[] {
  return packs.filter(({ backbone }) => info !== null && backbone.fingerprint === info.fingerprint)
}

/** Decides what the visitor left open, and says what is in the way. */
export function settlePlan(
  plan: Pick<RehearsalPlan, 'way' | 'role'>,
  report: DatasetReport | null,
  company: Company | null,
): SettledPlan {
  const names = report?.roles.map(({ name }) => name) ?? []
  const present = new Set(company?.roles.map(({ name }) => name))
  const canJoin = present.size > 0
  const suggested = canJoin && names.length === 1 && !present.has(names[0] ?? '') ? 'full' : 'all'
  const way = plan.way !== null && (plan.way === 'all' || canJoin) ? plan.way : suggested
  const role = names.find((name) => name === plan.role) ?? names[0] ?? ''
  return { way, role, obstacle: obstacleOf(way, role, report, present), canJoin }
}

function obstacleOf(
  way: Way,
  role: string,
  report: DatasetReport | null,
  present: ReadonlySet<string>,
): string | null {
  if (!report || report.dialogues.length === 0) return storeText('plan.noLines')
  if (way === 'all') return null
  if (present.has(role)) return storeText('plan.sameName', { role })
  const own = report.dialogues.filter((dialogue) => dialogue.role === role && dialogue.split === 'train')
  return own.length === 0 ? storeText('plan.noneLeft', { role }) : null
}

/** A run as the plan and the lines have it. */
export type RunDraft = Omit<RunRecord, 'version' | 'id' | 'createdAt'>

/** Has the lines measured behind the line that the plan puts before every chat, where that has changed. */
export function measureBehindLine(): void {
  const { overrides, joins } = useRehearsalPlan.getState()
  const { info } = useEngine.getState()
  const company = packsToJoin(useGuests.getState().packs, info).find(({ id }) => id === joins) ?? info
  const custom = company?.roles.some(({ system }) => system) ? ROLE_LINE : null
  const { system: written } = overrides
  const system = typeof written === 'string' && written !== '' ? written : custom
  if (system !== useLines.getState().system) measureLines({ system })
}

/** The run that the plan comes to; null while something is in the way. */
export async function plannedRun(): Promise<RunDraft | null> {
  const plan = useRehearsalPlan.getState()
  const { report } = useLines.getState()
  const { info, backbone } = useEngine.getState()
  const joined = packsToJoin(useGuests.getState().packs, info).find(({ id }) => id === plan.joins)
  const company = joined ?? info
  const { way, role, obstacle } = settlePlan(plan, report, company)
  if (obstacle || !report || !backbone) return null
  const start = way === 'all' ? null : await startOf(joined)
  const dialogues = way === 'all' ? report.dialogues : report.dialogues.filter((one) => one.role === role)
  return {
    backbone: { name: backbone.name, id: backbone.id },
    roles: way === 'all' ? report.roles.map(({ name }) => name) : [role],
    dialogues,
    config: {
      // Where the company's roles have a line before every chat, the newcomer gets one, too.
      ...(company?.roles.some(({ system }) => system) && { system: ROLE_LINE }),
      ...configOf({ way, role, hasStart: start !== null, overrides: plan.overrides }),
    },
    start,
    trial: {
      role,
      prompts: plan.prompts
        .split('\n')
        .map((prompt) => prompt.trim())
        .filter((prompt) => prompt !== ''),
      everySteps: plan.everySteps,
    },
  }
}

/** Begins the rehearsal as planned; does nothing while something is in the way. */
export async function beginRehearsal(): Promise<void> {
  const run = await plannedRun()
  if (run) await startTraining(run)
}

async function startOf(joined: KeptPack | undefined): Promise<PackFile | null> {
  return joined ? { name: joined.name, file: await packFileOf(joined.id) } : shippedPack()
}
