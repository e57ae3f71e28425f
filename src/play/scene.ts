import type { Turn } from '../core/dialogue.ts'
import type { PackRef } from '../formats/packFacts.ts'
import type { BlendPart } from '../formats/packRoles.ts'
import type { Script } from '../core/script.ts'

/** What the model is to read: who plays, how strongly, and the chat so far. */
export interface Scene {
  /** A role of the pack, or null for the bare backbone. */
  readonly role: string | null
  /** The pack that the role is of; left out, the one that came with the backbone. */
  readonly pack?: PackRef
  /** Roles of the pack mixed by weight, who play in place of `role`. */
  readonly blend?: readonly BlendPart[]
  /** 1 is the trained strength; 0 to 1.5. */
  readonly strength: number
  /** System text in place of the role's own line; undefined keeps that line. */
  readonly system?: string | null
  /** What else the model is told; left out where it reads a line alone. */
  readonly script?: Script
  readonly turns: readonly Turn[]
  /** The last turn is the role's own and is carried on instead of answered. */
  readonly continueLast: boolean
}
