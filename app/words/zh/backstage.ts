import type { Translation } from '../catalogue.ts'
import type { words as english } from '../en/backstage.ts'

export const words = {
  'view.announce': '把回答念给屏幕阅读器',
  'view.language': '语言',
  'view.language.system': '跟随浏览器',
  'view.language.en': 'English',
  'view.language.zh-Hans': '简体中文',
  'view.theme': '明暗',
  view: '你',
  'view.theme.dark': '暗',
  'view.theme.light': '亮',
  'view.theme.system': '跟随系统',
} as const satisfies Translation<typeof english>
