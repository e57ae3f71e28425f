/** One turn of a chat; `speaker` is the visitor (`user`) or the character (`role`). */
export interface Turn {
  readonly speaker: 'user' | 'role'
  readonly text: string
  /** Of a reply that stands there for what comes after it: it is not learnt and measured nowhere. */
  readonly isLearnt?: false
}

/** Whether a turn is a reply that is learnt and measured. */
export function countsAsReply({ speaker, isLearnt }: Turn): boolean {
  return speaker === 'role' && isLearnt !== false
}

/** A dialogue with a character. */
export interface Dialogue {
  readonly role: string
  readonly turns: readonly Turn[]
  /** The question that it is a wording of, where the data has several wordings of one question. */
  readonly item?: string
}

/** To be learnt; held out with its question; or held out as another wording of a question that is learnt. */
export type Split = 'train' | 'test' | 'wording'

/** A dialogue that is known to be trained on or held out. */
export interface SplitDialogue extends Dialogue {
  readonly split: Split
  /** Where it begins, counted from 1; left out where it came from no file. */
  readonly line?: number
  /** The file, where there are several. */
  readonly file?: string
}

/** Why a backbone stopped: the model ended its turn, the most tokens, the context was full, or the signal. */
export type StopReason = 'end' | 'length' | 'context' | 'cancelled'

/**
 * Why an answer ended; `loop`: it began to say the same over and over, and what it repeated is left out; `stop`: before a
 * string that ends it.
 */
export type AnswerEnd = StopReason | 'loop' | 'stop'
