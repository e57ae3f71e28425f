export const words = {
  madeBy: 'Made by <code>{command}</code>',
  about:
    'Does the method hold? What was measured of it, with what would overturn each answer. Every number comes from a file of the project.',
  unmeasured: 'What was not measured',
  picture: '{title}, a picture',
  overturn: 'What would overturn it: {overturn}',
  table: '{title}, a table',
} as const
