import { ANSWER_TOKENS } from '../core/sampling.ts'
import type { PathRate, PathRates } from '../core/path.ts'
import { createStore, get, set } from 'idb-keyval'
import type { UseStore } from 'idb-keyval'

import type { Persona, ReadingVoice, Settings } from './records.ts'

/** What holds until the visitor chooses. */
export const defaultSettings: Settings = {
  version: 1,
  theme: 'system',
  language: 'system',
  userName: 'stranger',
  userDescription: '',
  personas: [],
  persona: null,
  mood: 'steady',
  length: 'medium',
  cardText: 'auto',
  favourites: [],
  castOrder: 'cast',
  overrides: {},
  lockedSeed: null,
  maxTokens: ANSWER_TOKENS,
  // Small models go on with the visitor's line.
  stops: ['\n{{user}}:'],
  voices: {},
  announce: true,
  isSoftwareNoteRead: false,
  backbone: null,
  path: 'auto',
  rates: {},
  soundDevice: null,
  duty: 1,
}

const KEY = 'settings'

/** A store opens a connection of its own, so each database gets one for good. */
const stores = new Map<string, UseStore>()

function storeOf(database: string): UseStore {
  const store = stores.get(database) ?? createStore(database, 'values')
  stores.set(database, store)
  return store
}

/** The kept settings, each unknown or broken one replaced by its default; defaults where nothing can be read. */
export async function loadSettings(database = 'hycora-settings'): Promise<Settings> {
  try {
    return readSettings(await get(KEY, storeOf(database)))
  } catch {
    // A browser that refuses storage still gets a page; `saveSettings` tells of it.
    return defaultSettings
  }
}

/** Keeps the settings. */
export async function saveSettings(settings: Settings, database = 'hycora-settings'): Promise<void> {
  await set(KEY, settings, storeOf(database))
}

/** Settings from whatever was stored, field by field. */
export function readSettings(stored: unknown): Settings {
  if (typeof stored !== 'object' || stored === null) return defaultSettings
  const fields = new Map<string, unknown>(Object.entries(stored))
  const text = (key: string): string | undefined => {
    const value = fields.get(key)
    return typeof value === 'string' ? value : undefined
  }
  const number = (key: string): number | undefined => {
    const value = fields.get(key)
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined
  }
  return {
    version: 1,
    theme: oneOf(['system', 'light', 'dark'], text('theme')) ?? defaultSettings.theme,
    language: oneOf(['system', 'en', 'zh-Hans'], text('language')) ?? defaultSettings.language,
    userName: text('userName')?.trim() || defaultSettings.userName,
    userDescription: text('userDescription') ?? defaultSettings.userDescription,
    personas: readPersonas(fields.get('personas')),
    persona: text('persona') ?? null,
    mood: oneOf(['steady', 'lively', 'wild', 'exact'], text('mood')) ?? defaultSettings.mood,
    cardText: oneOf(['auto', 'line', 'card'], text('cardText')) ?? defaultSettings.cardText,
    length: oneOf(['short', 'medium', 'free'], text('length')) ?? defaultSettings.length,
    favourites: texts(fields.get('favourites')) ?? defaultSettings.favourites,
    castOrder: oneOf(['cast', 'recent', 'name'], text('castOrder')) ?? defaultSettings.castOrder,
    overrides: numbers(fields.get('overrides')),
    lockedSeed: number('lockedSeed') ?? null,
    maxTokens: number('maxTokens') ?? defaultSettings.maxTokens,
    stops: texts(fields.get('stops')) ?? defaultSettings.stops,
    voices: readVoices(fields.get('voices')),
    announce: fields.get('announce') !== false,
    isSoftwareNoteRead: fields.get('isSoftwareNoteRead') === true,
    backbone: text('backbone') ?? null,
    path: oneOf(['auto', 'webgpu', 'wasm'], text('path')) ?? defaultSettings.path,
    rates: measuredRates(fields.get('rates')),
    soundDevice: text('soundDevice') ?? null,
    duty: Math.min(1, Math.max(0.1, number('duty') ?? defaultSettings.duty)),
  }
}

function oneOf<T extends string>(choices: readonly T[], value: string | undefined): T | undefined {
  return choices.find((choice) => choice === value)
}

/** Those of a list that are whole. */
function readPersonas(value: unknown): readonly Persona[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  return list.flatMap((one) => {
    if (typeof one !== 'object' || one === null) return []
    const fields = new Map<string, unknown>(Object.entries(one))
    const [id, name, description] = ['id', 'name', 'description'].map((key) => fields.get(key))
    const isWhole = typeof id === 'string' && typeof name === 'string' && typeof description === 'string'
    return isWhole ? [{ id, name, description }] : []
  })
}

/** What pitch and pace may be; what is outside is brought to the nearer end. */
const [LOWEST, HIGHEST] = [0.5, 2]

function within(value: number): number {
  return Math.min(HIGHEST, Math.max(LOWEST, value))
}

/** Those of a record that are whole. */
function readVoices(value: unknown): Settings['voices'] {
  if (typeof value !== 'object' || value === null) return {}
  const entries = Object.entries(value).flatMap(([key, chosen]: [string, unknown]) => {
    const { pitch, pace } = numbers(chosen)
    if (pitch === undefined || pace === undefined) return []
    const voice = new Map<string, unknown>(Object.entries(chosen ?? {})).get('voice')
    const read: ReadingVoice = {
      voice: typeof voice === 'string' ? voice : null,
      pitch: within(pitch),
      pace: within(pace),
    }
    return [[key, read] as const]
  })
  return Object.fromEntries(entries)
}

/** Those of a list that say something; undefined where it is none. */
function texts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.filter((one) => typeof one === 'string' && one !== '')
}

function numbers(value: unknown): Readonly<Record<string, number>> {
  if (typeof value !== 'object' || value === null) return {}
  const finite = Object.entries(value).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]),
  )
  return Object.fromEntries(finite)
}

function measuredRates(value: unknown): Settings['rates'] {
  if (typeof value !== 'object' || value === null) return {}
  const entries = Object.entries(value).map(([key, rates]): [string, PathRates] => {
    const [webgpu, wasm] = [measuredRate(rates, 'webgpu'), measuredRate(rates, 'wasm')]
    return [key, { ...(webgpu && { webgpu }), ...(wasm && { wasm }) }]
  })
  return Object.fromEntries(entries)
}

function measuredRate(rates: unknown, path: string): PathRate | undefined {
  if (typeof rates !== 'object' || rates === null) return undefined
  const { prefill, decode } = numbers(new Map<string, unknown>(Object.entries(rates)).get(path))
  return prefill && decode && prefill > 0 && decode > 0 ? { prefill, decode } : undefined
}
