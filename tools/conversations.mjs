// @ts-check
// `node tools/conversations.mjs [--into FILE] [--first N] [--turns N]`: the visitors' lines of data/cast/conversations.json, said one by one in the
// built page on the model that it begins with, and what the characters answered, unedited, as Markdown: to stdout, or
// between two marks of a file. The page decides who computes; a line at the top says who did.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env, exit, stdout } from 'node:process'
import { parseArgs } from 'node:util'

import { chromium } from 'playwright'
import { build, preview } from 'vite'

import { root } from './install.mjs'

const [BEGIN, END] = ['<!-- conversations -->', '<!-- end of conversations -->']
const PATIENCE_MS = 600_000

const { values: options } = parseArgs({
  options: { into: { type: 'string' }, first: { type: 'string' }, turns: { type: 'string' } },
})
const [first, turns] = [Number(options.first ?? Infinity), Number(options.turns ?? Infinity)]

/** @type {readonly { role: string, lines: readonly string[] }[]} */
const conversations = JSON.parse(readFileSync(join(root, 'data/cast/conversations.json'), 'utf8'))
/** @type {Readonly<Record<string, { card: { name: string } }>>} */
const cards = JSON.parse(readFileSync(join(root, 'public/cast/cards.json'), 'utf8'))

/**
 * A conversation as Markdown: who said what.
 * @param {import('playwright').Page} page
 * @param {string} url
 * @param {{ role: string, lines: readonly string[] }} conversation
 */
async function converse(page, url, { role, lines }) {
  const name = cards[role]?.card.name ?? role
  await page.goto(url)
  await page.getByRole('region', { name: 'The cast' }).getByText(name, { exact: true }).click()
  const box = page.getByRole('textbox', { name: /^Say something to/ })
  const said = [`#### ${name}`, '', `> ${await lastWords(page)}`]
  for (const line of lines.slice(0, turns)) {
    const messages = page.getByRole('article')
    const before = await messages.count()
    await box.fill(line)
    await box.press('Enter')
    // The line and its answer.
    await messages.nth(before + 1).waitFor()
    await page.locator('article[aria-busy="true"]').waitFor({ state: 'detached' })
    said.push('', `**You**: ${line}`, '', `> ${await lastWords(page)}`)
  }
  return said.join('\n')
}

/**
 * What the last message says, without its speaker's name.
 * @param {import('playwright').Page} page
 */
async function lastWords(page) {
  const message = page.getByRole('article').last()
  await message.waitFor()
  const words = await message.locator('[dir="auto"]').innerText()
  return words.replaceAll(/\s*\n\s*/g, '  \n> ')
}

await build({ root, logLevel: 'error' })
const server = await preview({ root, logLevel: 'silent', preview: { host: '127.0.0.1', port: 0 } })
const url = server.resolvedUrls?.local[0] ?? ''
const path = env['CHROMIUM_PATH']
const browser = await chromium.launch({
  ...(path ? { executablePath: path } : { channel: 'chromium' }),
  args: ['--no-sandbox'],
})
const page = await browser.newPage()
page.setDefaultTimeout(PATIENCE_MS)
const parts = []
for (const conversation of conversations.slice(0, first)) parts.push(await converse(page, url, conversation))
await browser.close()
await server.close()

const markdown = parts.join('\n\n')
const { into: file } = options
if (file === undefined) stdout.write(`${markdown}\n`)
else {
  const text = readFileSync(file, 'utf8')
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (start < 0 || end < start) throw new Error(`${file} has no ${BEGIN} before ${END}`)
  writeFileSync(file, `${text.slice(0, start + BEGIN.length)}\n\n${markdown}\n\n${text.slice(end)}`)
}
exit(0)
