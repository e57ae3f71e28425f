export const words = {
  about:
    'A character here is a set of numbers, so characters can be mixed: a little of one, much of another, or the very opposite of a third. The face is mixed as the voice is.',
  wait: 'A rehearsal has the stage: blends wait until it pauses.',
  parts: 'Who is in it',
  map: 'See who is near whom, on a map',
  oneCompany:
    'Only characters of one company can be mixed: they part the half of their weights that is not theirs alone.',
  begin: 'Begin with',
  add: 'Add somebody',
  'begin.choose': 'Begin with…',
  'add.choose': 'Add somebody…',
  nobody:
    'Nobody here can be mixed: on this model the characters play by their text. Teach somebody, or bring in a company.',
  called: 'They are called',
  keeping: 'Keeping…',
  keep: 'Keep them and talk',
  clear: 'Begin anew',
  hear: 'Hear them',
  ask: 'Ask them something',
  stop: 'Stop',
  left: 'Somebody who has left',
  remove: 'Take {name} out',
} as const
