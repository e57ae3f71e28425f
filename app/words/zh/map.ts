import type { Translation } from '../catalogue.ts'
import type { words as english } from '../en/map.ts'

export const words = {
  'way.pca': '远近（PCA）',
  'way.tsne': '邻居（t-SNE）',
  stand: '站到{displayName}那里',
  across: '左右',
  down: '上下',
  about:
    '每个角色都站在自己权重所在的地方：离得近，就是像。他们之间还站着没人教过的别人。随便点一处，和那里的人聊聊。',
  company: '剧团',
  soon: '模型到了，地图就到了。',
  few: '画地图要有三个一起教出来的角色；在这个模型上，他们凭文字来演。',
  measuring: '正在量他们的远近……',
  oneAndAll: '这些角色的权重全都共用，所以其实是同一个。',
  ground: '地图',
  way: '怎么摆放',
  wait: '台上正在排练：地图要等它暂停。',
  nobody: '那里还没有人。',
  toBlend: '改改配方，或者把他们留下',
  'path.over': '路走完了。',
  'path.at': '第 {given} 个回答，共 {answers} 个：{mix}。',
  'path.another': '换一条路',
  'path.leave': '不走了',
  'path.from': '从',
  'path.to': '到',
  'path.answers': '走几个回答',
  'path.begin': '上路',
  'path.about': '接着问：每个回答的人都离另一头更近一点，而且知道前面说过什么。',
} as const satisfies Translation<typeof english>
