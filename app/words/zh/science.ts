import type { Translation } from '../catalogue.ts'
import type { words as english } from '../en/science.ts'

export const words = {
  madeBy: '由 <code>{command}</code> 得出',
  about:
    '这个方法站得住吗？这里是对它的测量，以及什么能推翻每个结论。每个数字都出自项目里的文件。记录用英文写成。',
  unmeasured: '没有测量的',
  picture: '{title}，图',
  overturn: '什么能推翻它：{overturn}',
  table: '{title}，表',
} as const satisfies Translation<typeof english>
