export const words = {
  found:
    '{messages, plural, one {One message} other {# messages}} in {chats, plural, one {one chat} other {# chats}}.',
  hit: '<hidden>Go to what </hidden><name>{name}</name><hidden> said: </hidden>',
  earlier: 'and {others, number} earlier',
  nothing: 'Nothing of it was said here.',
  searching: 'Searching …',
  'box.hint': 'A word, or several',
  box: 'Search all chats',
  about: 'All words must stand in one message, in whichever order. Nothing you search for leaves this page.',
} as const
