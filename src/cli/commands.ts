import { bench } from './bench.ts'
import { blind } from './blind.ts'
import { checkModel } from './check.ts'
import { convert } from './convert.ts'
import { evaluate } from './evaluate.ts'
import { fetchModel } from './fetch.ts'
import { generate } from './generate.ts'
import { importFile } from './import.ts'
import { inspect } from './inspect.ts'
import { logits } from './logits.ts'
import { matrices } from './matrices.ts'
import { openings } from './openings.ts'
import { teach } from './teach.ts'
import { tokens } from './tokens.ts'
import { train } from './train.ts'

/** Every command by its name; each takes the words behind it. */
export const COMMANDS: Readonly<Record<string, (words: readonly string[]) => Promise<void>>> = {
  logits,
  matrices,
  tokens,
  generate,
  train,
  teach,
  evaluate,
  inspect,
  convert,
  import: importFile,
  fetch: fetchModel,
  check: checkModel,
  bench,
  openings,
  blind,
}
