import type { Translation } from '../catalogue.ts'
import type { words as english } from '../en/group.ts'

export const words = {
  chosen: '{names}。',
  'chosen.full': '{names}，再坐不下了。',
  about: '两个到八个角色在同一段聊天里。他们听得见你，也听得见彼此；谁来回答，由你说了算。',
  who: '谁来',
  begin: '开始',
  'chosen.none': '至少选两个。',
  'chosen.one': '{name}，还有谁？',
} as const satisfies Translation<typeof english>
