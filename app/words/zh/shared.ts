import type { Translation } from '../catalogue.ts'
import type { words as english } from '../en/shared.ts'

export const words = {
  cast: '全部角色',
  quantityOf: '{done} / {total} {unit}',
  quantity: '{amount} {unit}',
  secondsLeft: '还剩 {seconds, number} 秒',
  minutesLeft: '还剩 {minutes, number} 分钟',
  milliseconds: '{milliseconds} 毫秒',
  seconds: '{seconds} 秒',
  minutes: '{minutes} 分钟',
  hours: '{hours, number} 小时',
  days: '{days, number} 天',
  'screen.science': '实验',
  'screen.search': '搜索聊天',
  'screen.group': '群戏',
  'screen.map': '角色地图',
  'screen.blend': '谁与谁之间',
  'screen.teach': '你自己的角色',
} as const satisfies Translation<typeof english>
