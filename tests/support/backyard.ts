import { zipSync } from 'fflate'

/** A scenario of Backyard in which this was said. */
export const scenario = (title: string, ...texts: readonly string[]) => ({
  title,
  messages: texts.map((text) => ({ type: 'ai', outputs: [{ text }] })),
})

/** An archive of Backyard. */
export const archive = (...scenarios: readonly object[]) =>
  zipSync({
    'manifest.json': new TextEncoder().encode('{}'),
    'characters/a/character.json': new TextEncoder().encode('{"displayName":"Orla"}'),
    ...Object.fromEntries(
      scenarios.map((one, at) => [`scenarios/${at}.json`, new TextEncoder().encode(JSON.stringify(one))]),
    ),
  })
