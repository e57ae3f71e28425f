export const words = {
  chosen: '{names}.',
  'chosen.full': '{names}, and no more find room.',
  about: 'Two to eight of them in one chat. They hear you and each other; who answers is for you to say.',
  who: 'Who comes',
  begin: 'Begin',
  'chosen.none': 'Choose at least two.',
  'chosen.one': '{name}, and who else?',
} as const
