/** One turn of a chat; `speaker` is the visitor (`user`) or the character (`role`). */
export interface Turn {
  readonly speaker: 'user' | 'role'
  readonly text: string
}

/** A dialogue with a character. */
export interface Dialogue {
  readonly role: string
  readonly turns: readonly Turn[]
}

/** A dialogue that is known to be trained on or held out. */
export interface SplitDialogue extends Dialogue {
  readonly split: 'train' | 'test'
}

/** Why a backbone stopped: the model ended its turn, the most tokens, the context was full, or the signal. */
export type StopReason = 'end' | 'length' | 'context' | 'cancelled'

/** Why an answer ended; `loop`: it began to say the same over and over, and what it repeated is left out. */
export type AnswerEnd = StopReason | 'loop'
