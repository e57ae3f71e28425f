import type { Translation } from '../catalogue.ts'
import type { words as english } from '../en/blend.ts'

export const words = {
  about:
    '在这里，一个角色就是一组数，所以角色可以调和：这个来一点，那个多一些，再加上第三个的反面。声音怎么调，脸就怎么调。',
  wait: '台上正在排练：调和要等它暂停。',
  parts: '里面有谁',
  map: '在地图上看谁和谁近',
  oneCompany: '只有同一个剧团的角色才能调和：权重里不属于自己的那一半，是他们共有的。',
  begin: '从谁开始',
  add: '再加一个',
  'begin.choose': '从谁开始……',
  'add.choose': '再加一个……',
  nobody: '这里没有谁能调和：在这个模型上，角色们凭文字来演。教一个出来，或者带一个剧团进来。',
  called: '叫作',
  keeping: '正在留下……',
  keep: '留下，去聊聊',
  clear: '重新来过',
  hear: '听他们说',
  ask: '问他们点什么',
  stop: '停下',
  left: '已经离开的人',
  remove: '拿掉{name}',
} as const satisfies Translation<typeof english>
