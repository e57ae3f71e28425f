import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { afterAll, describe, expect, test } from 'vitest'

import { root } from '../../../tools/install.mjs'

const tool = (name: string): string => pathToFileURL(join(root, 'tools', name)).href

/** Runs a script as the command line runs: what it says on descriptor 3, native noise dropped. */
function runCommand(script: string) {
  const words = ['--import', tool('cliMessages.mjs'), '--input-type=module', '--eval', script]
  const { stdout, output, status } = spawnSync(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  return { stdout, stderr: output[3], status }
}

/** The words of a Node process that runs `inner` in a child and ends as the child ends. */
function parentOf(inner: string): string[] {
  const script = `
    import { endLike, runNode } from '${tool('child.mjs')}'
    endLike(await runNode(['--eval', ${JSON.stringify(inner)}], { stdio: ['ignore', 'inherit', 'inherit'] }))`
  return ['--input-type=module', '--eval', script]
}

describe('a command under cliMessages', () => {
  test('keeps its own words and loses what native code writes', () => {
    const script = `
      import { writeSync } from 'node:fs'
      writeSync(2, 'Warning: a driver talks\\n')
      process.stderr.write('usage: --out is missing\\n', () => process.exit(1))
      process.stdout.write('kept\\n')`
    expect(runCommand(script)).toEqual({ stdout: 'kept\n', stderr: 'usage: --out is missing\n', status: 1 })
  })

  test('says an error that nobody caught in one line', () => {
    expect(runCommand(`throw new Error('two\\nlines')`)).toEqual({
      stdout: '',
      stderr: 'usage: two lines\n',
      status: 1,
    })
  })

  test('lets a worker thread speak, and be asked for more', () => {
    const thread = `
      import { parentPort } from 'node:worker_threads'
      parentPort.once('message', () => process.stderr.write('a thread talks\\n'))
      parentPort.postMessage('up')`
    // The thread is asked for its stderr only once it runs, as happens by itself to one that starts slowly.
    const script = `
      import { Worker } from 'node:worker_threads'
      const address = new URL('data:text/javascript,${encodeURIComponent(thread).replaceAll("'", '%27')}')
      const worker = new Worker(address, { stderr: true })
      worker.once('message', () => {
        worker.stderr.pipe(process.stderr)
        worker.postMessage('speak')
      })
      worker.once('exit', (status) => process.stdout.write('the thread ended with ' + status))`
    expect(runCommand(script)).toEqual({
      stdout: 'the thread ended with 0',
      stderr: 'a thread talks\n',
      status: 0,
    })
  })
})

describe.runIf(process.platform !== 'win32')('runNode and endLike', () => {
  test('pass the exit status on', () => {
    expect(spawnSync(process.execPath, parentOf('process.exit(7)')).status).toBe(7)
  })

  test('pass the signal on that ended the child', () => {
    expect(spawnSync(process.execPath, parentOf(`process.kill(process.pid, 'SIGKILL')`)).signal).toBe(
      'SIGKILL',
    )
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('pass %s to the child, and end by it', async (name) => {
    const waiting = `process.stdout.write('ready'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, parentOf(waiting), { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.once('data', () => child.kill(name))
    const signal = await new Promise((resolve) => {
      child.on('close', (_status, by) => resolve(by))
    })
    expect(signal).toBe(name)
  })
})

describe('the linter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hycora-lint-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('finds a cycle of imports', () => {
    writeFileSync(join(folder, 'a.ts'), `import { b } from './b.ts'\nexport const a = (): number => b()\n`)
    writeFileSync(join(folder, 'b.ts'), `import { a } from './a.ts'\nexport const b = (): number => a()\n`)
    const program = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint')
    const words = [program, '--config', join(root, '.oxlintrc.json'), folder]
    const { stdout, status } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' })
    expect(stdout).toContain('import(no-cycle)')
    expect(status).toBe(1)
  })
})
