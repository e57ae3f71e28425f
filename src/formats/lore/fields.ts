import type { RemarkCode } from '../../core/remarkTexts.ts'

/**
 * What is done with a field: it decides what is sent; it is handed on and decides nothing anywhere; or it would decide
 * something that is not done here, and is named.
 */
export type LoreUse = 'honoured' | 'kept' | 'named'

/** One thing that an entry of a lorebook may say, by its name in each form. */
export interface LoreField {
  /** In the entries of a card's book and of a V3 lorebook. */
  readonly card?: string
  /** In an entry's `extensions`, where SillyTavern writes what cards have no field for. */
  readonly extension?: string
  /** In an entry of World Info. */
  readonly world?: string
  readonly use: LoreUse
  /** Of what is named: what is not done. */
  readonly unmet?: RemarkCode
}

const both = (extension: string, world: string): LoreField => ({ extension, world, use: 'honoured' })

/**
 * Every field of an entry.
 *
 * Reference: kwaroran/character-card-spec-v3, SPEC_V3.md, "Lorebook Fields"; malfoyslastname/character-card-spec-v2;
 * SillyTavern's documentation, "World Info".
 */
export const ENTRY_FIELDS = {
  keys: { card: 'keys', world: 'key', use: 'honoured' },
  secondaryKeys: { card: 'secondary_keys', world: 'keysecondary', use: 'honoured' },
  isSelective: { card: 'selective', world: 'selective', use: 'honoured' },
  logic: both('selectiveLogic', 'selectiveLogic'),
  arePatterns: { card: 'use_regex', use: 'honoured' },
  content: { card: 'content', world: 'content', use: 'honoured' },
  isEnabled: { card: 'enabled', use: 'honoured' },
  isDisabled: { world: 'disable', use: 'honoured' },
  isConstant: { card: 'constant', world: 'constant', use: 'honoured' },
  order: { card: 'insertion_order', world: 'order', use: 'honoured' },
  priority: { card: 'priority', use: 'honoured' },
  side: { card: 'position', use: 'honoured' },
  position: both('position', 'position'),
  depth: both('depth', 'depth'),
  role: both('role', 'role'),
  scanDepth: both('scan_depth', 'scanDepth'),
  isCaseSensitive: {
    card: 'case_sensitive',
    extension: 'case_sensitive',
    world: 'caseSensitive',
    use: 'honoured',
  },
  isWholeWords: both('match_whole_words', 'matchWholeWords'),
  probability: both('probability', 'probability'),
  usesProbability: both('useProbability', 'useProbability'),
  isUnreachable: both('exclude_recursion', 'excludeRecursion'),
  isSilent: both('prevent_recursion', 'preventRecursion'),
  recursionLevel: both('delay_until_recursion', 'delayUntilRecursion'),
  groups: both('group', 'group'),
  isGroupFirst: both('group_override', 'groupOverride'),
  groupWeight: both('group_weight', 'groupWeight'),
  scoresGroup: both('use_group_scoring', 'useGroupScoring'),
  sticky: both('sticky', 'sticky'),
  cooldown: both('cooldown', 'cooldown'),
  delay: both('delay', 'delay'),
  ignoresBudget: both('ignore_budget', 'ignoreBudget'),
  readsPersona: both('match_persona_description', 'matchPersonaDescription'),
  readsDescription: both('match_character_description', 'matchCharacterDescription'),
  readsPersonality: both('match_character_personality', 'matchCharacterPersonality'),
  readsDepthPrompt: both('match_character_depth_prompt', 'matchCharacterDepthPrompt'),
  readsScenario: both('match_scenario', 'matchScenario'),
  readsCreatorNotes: both('match_creator_notes', 'matchCreatorNotes'),
  occasions: both('triggers', 'triggers'),
  characters: both('character_filter', 'characterFilter'),
  title: { card: 'name', use: 'kept' },
  comment: { card: 'comment', world: 'comment', use: 'kept' },
  id: { card: 'id', world: 'uid', use: 'kept' },
  hasComment: { world: 'addMemo', use: 'kept' },
  shownAt: { extension: 'display_index', world: 'displayIndex', use: 'kept' },
  extensions: { card: 'extensions', world: 'extensions', use: 'kept' },
  isVectorized: {
    extension: 'vectorized',
    world: 'vectorized',
    use: 'named',
    unmet: 'lore.vectorized',
  },
  outlet: {
    extension: 'outlet_name',
    world: 'outletName',
    use: 'named',
    unmet: 'lore.outlet',
  },
  automation: {
    extension: 'automation_id',
    world: 'automationId',
    use: 'named',
    unmet: 'lore.automation',
  },
} as const satisfies Readonly<Record<string, LoreField>>

export type EntryField = keyof typeof ENTRY_FIELDS

/** Every field of a lorebook itself, of a card or of V3; World Info has its entries alone. */
export const BOOK_FIELDS = {
  scan_depth: 'honoured',
  token_budget: 'honoured',
  recursive_scanning: 'honoured',
  entries: 'honoured',
  name: 'kept',
  description: 'kept',
  extensions: 'kept',
} as const satisfies Readonly<Record<string, LoreUse>>

/** Every decorator of V3, and those of RisuAI that say the same here; any other is named. */
export const DECORATORS = {
  activate_only_after: 'honoured',
  activate_only_every: 'honoured',
  keep_activate_after_match: 'honoured',
  dont_activate_after_match: 'honoured',
  depth: 'honoured',
  role: 'honoured',
  scan_depth: 'honoured',
  is_greeting: 'honoured',
  position: 'honoured',
  ignore_on_max_context: 'honoured',
  additional_keys: 'honoured',
  exclude_keys: 'honoured',
  dont_activate: 'honoured',
  activate: 'honoured',
  disable_ui_prompt: 'honoured',
  constant: 'honoured',
  probability: 'honoured',
  match_full_word: 'honoured',
  match_partial_word: 'honoured',
  reverse_depth: 'named',
  instruct_depth: 'named',
  reverse_instruct_depth: 'named',
  instruct_scan_depth: 'named',
  is_user_icon: 'named',
} as const satisfies Readonly<Record<string, LoreUse>>

export type Decorator = keyof typeof DECORATORS
