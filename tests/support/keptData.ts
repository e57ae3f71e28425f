/*
 * What builds before `key` had its name wrote on people's machines, as they wrote it. No type of the product stands here:
 * these records do not change with it.
 */

export const HOLMES = 'Sherlock Holmes'
export const TOM = '0fa0338b362186fc8ea565a1/Old Tom'
const CHAT = '7f52a32b8939b0f883cb1fe1'
const BRANCH = '443a428570bc6f606144f916'
const PERSONA = '3f0c9d2e51b7a86402d1c4ea'
const RUN = '9b1a0595a105bb333b101c9e'

const holmes = {
  backbone: 'Tiny (5.5 M)',
  role: HOLMES,
  strength: 1,
  seed: 7,
  promptTokens: 98,
  tokens: 29,
  tokensPerSecond: 14.38904377095519,
  context: 1024,
  stop: 'end',
}
export const tom = { ...holmes, role: TOM, strength: 1.2, promptTokens: 143, tokens: 9, stop: 'loop' }

/** The entries of the store `events`, in the order of their arrival. */
export const keptEvents: readonly Readonly<Record<string, unknown>>[] = [
  {
    kind: 'chat-created',
    role: HOLMES,
    title: null,
    parent: null,
    metadata: null,
    version: 1,
    chat: CHAT,
    at: 1795953604118,
  },
  {
    kind: 'message-added',
    message: {
      speaker: 'role',
      name: HOLMES,
      role: HOLMES,
      id: 'c09ede4ad00cd0eb159984d4',
      excluded: false,
      takes: [
        { id: 'fbe3ea7aa7ad27aa228096e2', text: 'Seventeen steps.', at: 1795953604118, generation: null },
        { id: '2f5af55e5872bcd7cdc45bbc', text: 'Mind the papers.', at: 1795953604118, generation: null },
      ],
      selected: 0,
    },
    version: 1,
    chat: CHAT,
    at: 1795953604118,
  },
  {
    kind: 'message-added',
    message: {
      speaker: 'user',
      name: 'Ann',
      role: null,
      id: 'f1b1ca15ccd4808e22aadc00',
      excluded: false,
      takes: [{ id: 'ef93b8973852e597d2957c1f', text: 'Who are you?', at: 1795953604340, generation: null }],
      selected: 0,
    },
    version: 1,
    chat: CHAT,
    at: 1795953604340,
  },
  {
    kind: 'message-added',
    message: {
      speaker: 'role',
      name: HOLMES,
      role: HOLMES,
      id: '8def03450453d370282e3e62',
      excluded: false,
      takes: [
        { id: '5e5fad6c9a28bb1838075890', text: 'A man of method.', at: 1795953622192, generation: holmes },
      ],
      selected: 0,
    },
    version: 1,
    chat: CHAT,
    at: 1795953622192,
  },
  {
    kind: 'take-added',
    message: '8def03450453d370282e3e62',
    take: { id: '02585b3576eb1e42c3984cc5', text: 'A man.', at: 1795953623971, generation: holmes },
    version: 1,
    chat: CHAT,
    at: 1795953623971,
  },
  {
    kind: 'take-edited',
    message: '8def03450453d370282e3e62',
    take: '02585b3576eb1e42c3984cc5',
    text: 'A man of habit.',
    generation: { ...holmes, seed: 8 },
    version: 1,
    chat: CHAT,
    at: 1795953624000,
  },
  {
    kind: 'note-changed',
    note: { text: 'It rains.', depth: 4, every: 1 },
    version: 1,
    chat: CHAT,
    at: 1795953624000,
  },
  {
    kind: 'facts-changed',
    facts: ['Ann came by cab.'],
    version: 1,
    chat: CHAT,
    at: 1795953624000,
  },
  {
    kind: 'books-changed',
    books: [{ name: 'Baker Street', text: '{"entries":{"0":{"key":["pipe"],"content":"It is unlit."}}}' }],
    version: 1,
    chat: CHAT,
    at: 1795953624000,
  },
  { kind: 'persona-changed', persona: PERSONA, version: 1, chat: CHAT, at: 1795953624000 },
  {
    kind: 'chat-created',
    role: HOLMES,
    title: null,
    parent: { chat: CHAT, message: '8def03450453d370282e3e62' },
    metadata: null,
    version: 1,
    chat: BRANCH,
    at: 1795953625530,
  },
  { kind: 'scene-changed', role: TOM, strength: 1.2, version: 1, chat: BRANCH, at: 1795953625530 },
  { kind: 'chat-titled', title: 'On the river', version: 1, chat: BRANCH, at: 1795953625531 },
  {
    kind: 'message-added',
    message: {
      speaker: 'role',
      name: 'Old Tom',
      role: TOM,
      id: 'e0a394b78090608f9b885057',
      excluded: true,
      takes: [{ id: '4dbdbe60ecb7aa8c1da50a6e', text: 'Evening.', at: 1795953635466, generation: tom }],
      selected: 0,
    },
    version: 1,
    chat: BRANCH,
    at: 1795953635466,
  },
  {
    kind: 'messages-deleted',
    messages: ['e0a394b78090608f9b885057'],
    version: 1,
    chat: BRANCH,
    at: 1795953635470,
  },
  {
    kind: 'messages-restored',
    messages: ['e0a394b78090608f9b885057'],
    version: 1,
    chat: BRANCH,
    at: 1795953635480,
  },
]

/** The entries of the store `summaries`. */
export const keptSummaries: readonly Readonly<Record<string, unknown>>[] = [
  {
    version: 1,
    id: BRANCH,
    role: TOM,
    title: 'On the river',
    lastText: 'Evening.',
    messages: 1,
    started: false,
    deleted: false,
    createdAt: 1795953625530,
    updatedAt: 1795953635480,
  },
  {
    version: 1,
    id: CHAT,
    role: HOLMES,
    title: 'Who are you?',
    lastText: 'A man of habit.',
    messages: 3,
    started: true,
    deleted: false,
    createdAt: 1795953604118,
    updatedAt: 1795953624000,
  },
]

/** The settings, kept whole under one key. */
export const keptSettings = {
  version: 1,
  theme: 'dark',
  userName: 'Ann',
  mood: 'steady',
  overrides: { minP: 0.2 },
  lockedSeed: 7,
  maxTokens: 200,
  announce: true,
  isSoftwareNoteRead: false,
  backbone: 'starter',
  path: 'wasm',
  rates: { 'starter · google · swiftshader': { wasm: { prefill: 300, decode: 48 } } },
  duty: 1,
}

/** The same with the visitor's personas. */
export const settingsWithPersonas = {
  ...keptSettings,
  length: 'medium',
  cardText: 'card',
  userDescription: 'A guest.',
  personas: [{ id: PERSONA, name: 'Brack', description: '{{user}} steers the ferry.' }],
  persona: PERSONA,
  stops: ['\n{{user}}:'],
  favourites: [HOLMES],
  castOrder: 'recent',
}

/** The bytes of both packs, and their digest; the library compares them and reads no further. */
export const packBytes = 'the bytes of a pack'
const sha256 = '81e999843640df933825b2bdbdd3a7a949cc2bc12949fd7f71066013dfba89c7'

/** A pack as it is kept since several stand in the cast at once. */
export const keptPack = {
  version: 1,
  id: 'ea53c4383d54fe6dce4d64e6',
  name: 'Brine',
  backboneId: 'starter',
  cast: ['Brine'],
  origin: { kind: 'brought', fileName: 'brine.hycora.safetensors' },
  backbone: { name: 'Tiny (5.5 M)', fingerprint: '56dd2f0b' },
  roles: [
    {
      name: 'Brine',
      card: { name: 'Brine', first_mes: 'Mind the rope.' },
      system: 'You are Brine.',
      blend: null,
      vector: Float32Array.of(0.5, -0.5),
    },
  ],
  provenance: { steps: 3 },
  bytes: 19,
  sha256,
  portraits: new Map([['Brine', new Blob(['pixels'], { type: 'image/png' })]]),
  addedAt: 1795953673027,
}

/** A pack as the first builds kept it, which knew one company at a time. */
export const firstPack = {
  version: 1,
  id: 'b5eb9640b5eb9640b5eb9640',
  name: 'Evening',
  backboneId: 'starter',
  backbone: { name: 'Tiny (5.5 M)', fingerprint: '56dd2f0b' },
  roles: [
    { name: 'Captain', vector: Float32Array.of(1, 0) },
    { name: 'Mate', vector: Float32Array.of(0, 1) },
  ],
  bytes: 19,
  sha256,
  addedAt: 1795000000000,
}

/** A card whose text plays. */
export const keptCard = {
  version: 1,
  id: '0fa0338b362186fc8ea565a1',
  addedAt: 1795953631807,
  name: 'Old Tom',
  card: { name: 'Old Tom', description: 'A ferryman.', first_mes: 'Evening, {{user}}.', extensions: {} },
  original: { spec: 'chara_card_v2', spec_version: '2.0', data: { name: 'Old Tom' } },
  assets: new Map([['assets/hat.png', new Blob(['hat'])]]),
  portrait: null,
  fileName: 'tom.json',
}

/** A training run. */
export const keptRun = {
  version: 1,
  id: RUN,
  createdAt: 1795953638653,
  backbone: { name: 'Tiny (5.5 M)', id: 'starter' },
  roles: ['Brine'],
  dialogues: [
    {
      role: 'Brine',
      turns: [
        { speaker: 'user', text: 'Hello.' },
        { speaker: 'role', text: 'Mind the rope.' },
      ],
      split: 'train',
    },
  ],
  config: { steps: 3, mode: 'all', checkpointEvery: 1, batch: 1, rank: 1, targets: ['q'] },
  start: { name: 'packs/starter.hycora.safetensors', file: new Blob(['start']) },
  rehearsal: { role: 'Brine', prompts: ['Who are you?'], everySteps: 1 },
}

const plan = {
  totalSteps: 3,
  rows: 10,
  heldOutRows: 1,
  tokensPerStep: 21,
  gpuBytes: 11273536,
  secondsPerStep: 4.2,
}
const point = {
  step: 1,
  loss: 5.048,
  crossEntropy: 5.048,
  contrast: 0,
  lambda: 0,
  learningRate: 0.0002,
  gradientNorm: 2.76,
  tokensPerSecond: 10.2,
  secondsPerStep: 2.04,
}

/** How far the run has come. */
export const keptProgress = {
  version: 1,
  run: RUN,
  state: 'paused',
  history: {
    plan,
    points: [point],
    heldOut: [{ step: 1, loss: 4.9, isBest: true }],
    answers: [{ step: 1, answers: ['I am digital.'] }],
    map: {
      step: 1,
      names: ['Brine', 'Alice'],
      cosines: Float32Array.of(1, 0.2, 0.2, 1),
      points: Float32Array.of(0, 1, 1, 0),
      alike: null,
      isShared: false,
    },
    notes: ['one row was left out'],
    skipped: 0,
  },
  result: { pack: new Blob(['taught']), best: null, step: 1 },
}

/** The same as the first builds kept it: of the map of roles they knew whether all had become one. */
export const firstProgress = {
  ...keptProgress,
  history: {
    ...keptProgress.history,
    map: {
      step: 1,
      names: ['Brine', 'Alice'],
      cosines: Float32Array.of(1, 0.2, 0.2, 1),
      points: Float32Array.of(0, 1, 1, 0),
      isCollapsed: false,
    },
  },
}
