export const words = {
  'view.announce': 'Read answers out to a screen reader',
  'view.language': 'Language',
  'view.language.system': 'The browser’s',
  'view.language.en': 'English',
  'view.language.zh-Hans': '简体中文',
  'view.theme': 'Light',
  view: 'You',
  'view.theme.dark': 'Dark',
  'view.theme.light': 'Light',
  'view.theme.system': 'System',
} as const
