import type { Translation } from '../catalogue.ts'
import type { words as english } from '../en/search.ts'

export const words = {
  found: '{chats, number} 段聊天里有 {messages, number} 条消息。',
  hit: '<hidden>查看</hidden><name>{name}</name><hidden>说的：</hidden>',
  earlier: '更早还有 {others, number} 条',
  nothing: '这里没人说过这样的话。',
  searching: '正在翻找……',
  'box.hint': '一个词，或几个词',
  box: '搜索所有聊天',
  about: '要找的词须出现在同一条消息里，先后不论。搜什么都不会离开这个页面。',
} as const satisfies Translation<typeof english>
