import type { Remark } from '../../src/core/remarks.ts'
import { catalogue } from './catalogue.ts'
import { words } from './en/remark.ts'

const say = catalogue(words, () => import('./zh/remark.ts'))

/** A remark of the code in the language of the page. */
export function remarkText({ code, values }: Remark): string {
  // Which values a remark needs is known where it is made, code by code.
  return (say as (key: Remark['code'], values: Remark['values']) => string)(code, values)
}
