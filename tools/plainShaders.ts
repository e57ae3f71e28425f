import { readFile } from 'node:fs/promises'

import type { Plugin } from 'vite'

/** A shader without its comments and indentation; WGSL has no strings that either could stand in. */
export function withoutComments(code: string): string {
  return code
    .replace(/\s*\/\/.*$/gm, '')
    .replace(/^\s+/gm, '')
    .trimEnd()
}

const SHADER = /\.wgsl\?raw$/

/** Builds shaders as `withoutComments` leaves them: what people read of them is a third of their weight. */
export const plainShaders: Plugin = {
  name: 'plain-shaders',
  apply: 'build',
  enforce: 'pre',
  load: {
    filter: { id: SHADER },
    async handler(id) {
      const code = await readFile(id.replace(/\?raw$/, ''), 'utf8')
      return `export default ${JSON.stringify(withoutComments(code))}`
    },
  },
}
