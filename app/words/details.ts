import { withChinese } from './catalogue.ts'

const chinese = withChinese(() => import('./zh/details.ts'))

/**
 * What an error says of itself, in the language of the page. Its English is what was thrown, and the Chinese is found by that;
 * what is not known stays English.
 */
export function detailText(detail: string): string {
  return chinese()?.inChinese(detail) ?? detail
}
