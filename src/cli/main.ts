import { failureOf, HycoraError } from '../core/errors.ts'
import { COMMANDS } from './commands.ts'
import { help } from './help.ts'

async function main([name, ...words]: readonly string[]): Promise<void> {
  if (name === '--help' || words.includes('--help')) {
    process.stdout.write(await help(name === '--help' ? words[0] : name))
    return
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) {
    const known = Object.keys(COMMANDS).join(', ')
    throw new HycoraError(
      'usage',
      `${name === undefined ? 'no command given' : `there is no command "${name}"`}; there are ${known}`,
    )
  }
  await command(words)
}

try {
  await main(process.argv.slice(2))
  // Dawn's threads keep the process alive: leave once stdout has taken everything.
  process.stdout.write('', () => process.exit(0))
} catch (error) {
  const { code, message } = failureOf(error, 'usage')
  process.stderr.write(`${code}: ${message.replaceAll('\n', ' ')}\n`, () => process.exit(1))
}
