import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { page, userEvent } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats } from '../../../app/stores/chat/chats.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { edit, showBackstage, showDialog } from '../../../app/stores/page/session.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine } from '../../support/fakeEngine.ts'

const shipped = readCast({
  Holmes: {
    displayName: 'Sherlock Holmes',
    line: 'Go on.',
    card: { first_mes: 'Good evening.', alternate_greetings: ['Come in.'] },
  },
})

/** Lets the scripted engine say word after word; at first it stands open. */
function createGate() {
  let passes = Infinity
  let letOn: (() => void) | null = null
  return {
    pause: async () => {
      if (passes === 0) await new Promise<void>((resolve) => (letOn = resolve))
      passes -= 1
    },
    close: () => (passes = 0),
    pass(words: number) {
      passes += words
      letOn?.()
      letOn = null
    },
  }
}

let root: HTMLElement
let close: () => void
let engine: FakeEngine
let gate: ReturnType<typeof createGate>

/** The page with a new chat with Holmes on it, who gives these answers. */
const open = async (...answers: readonly string[]): Promise<void> => {
  root = document.body.appendChild(document.createElement('div'))
  gate = createGate()
  engine = createFakeEngine({ roles: ['Holmes'], answers, pause: gate.pause })
  location.hash = '#/'
  close = await startOnSmallSite(root, () => engine)
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
  await beginChat('Holmes')
  await expect.element(box).toHaveFocus()
}

const box = page.getByRole('textbox', { name: 'Say something to Sherlock Holmes' })
const editor = page.getByRole('textbox', { name: 'Edit the message' })
const send = page.getByRole('button', { name: 'Send' })
const asked = page.getByRole('article', { name: 'You' })
const answers = page.getByRole('article', { name: 'Sherlock Holmes' })
const answer = answers.last()

/** Types, and waits until the answer is whole. */
const say = async (words: string): Promise<void> => {
  await userEvent.keyboard(`${words}{Enter}`)
  await expect.element(page.getByRole('button', { name: 'Again' })).toBeEnabled()
}

/** Waits for an answer and the version of it that is shown. */
const shows = async (words: string, version: string): Promise<void> => {
  await expect.element(answer).toHaveTextContent(words)
  await expect.element(answer.getByText(version)).toBeInTheDocument()
  await expect.element(send).toBeInTheDocument()
}

/** Everything that the live region says from now on. */
const listen = (): readonly string[] => {
  const heard: string[] = []
  const region = root.querySelector('[aria-live="polite"]')!
  new MutationObserver(() => heard.push(region.textContent)).observe(region, {
    childList: true,
    characterData: true,
    subtree: true,
  })
  return heard
}

/** Lets one word more be said, and waits until so many are shown. */
const passTo = async (token: number): Promise<void> => {
  gate.pass(1)
  await expect.element(page.getByText(`${token} tokens so far`)).toBeVisible()
}

beforeEach(async () => {
  changeSettings({ backbone: 'starter', announce: true })
  // Wide enough for the chat to stay within reach beside Backstage.
  await page.viewport(1200, 800)
})
afterEach(() => {
  gate.pass(Infinity)
  edit(null)
  showDialog('none')
  showBackstage(false)
  close()
  root.remove()
  location.hash = ''
})

describe('keys in a chat', () => {
  test('Enter sends, with Shift it begins a line', async () => {
    await open('Indeed.')
    await userEvent.keyboard('Hello{Shift>}{Enter}{/Shift}there')
    await expect.element(box).toHaveValue('Hello\nthere')
    await expect.element(asked).not.toBeInTheDocument()
    await userEvent.keyboard('{Enter}')
    await expect.element(asked).toHaveTextContent(/Hello\s*there/)
    await expect.element(answer).toHaveTextContent('Indeed.')
    await expect.element(box).toHaveValue('')
  })

  test('while an answer comes, Enter leaves what is written, and nothing else is asked', async () => {
    await open('One two.')
    gate.close()
    await userEvent.keyboard('Count{Enter}')
    gate.pass(1)
    await expect.element(answer).toHaveTextContent('One')
    await userEvent.keyboard('{ArrowUp}{ArrowRight}{Control>}{Enter}{/Control}And now?{Enter}')
    await expect.element(editor).not.toBeInTheDocument()
    await expect.element(box).toHaveValue('And now?')
    gate.pass(1)
    await expect.element(answer).toHaveTextContent('One two.')
    await expect.element(send).toBeEnabled()
    expect(asked.elements()).toHaveLength(1)
    expect(engine.asked).toHaveLength(1)
  })

  test('↑ in an empty box edits the last message: Enter keeps it, Esc leaves it as it was', async () => {
    await open('Indeed.')
    await say('Hello')
    await userEvent.keyboard('{ArrowUp}')
    await expect.element(editor).toHaveFocus()
    await expect.element(editor).toHaveValue('Indeed.')
    await userEvent.keyboard(' Watson said so.{Enter}')
    await expect.element(editor).not.toBeInTheDocument()
    await expect.element(answer).toHaveTextContent('Indeed. Watson said so.')
    await expect.element(box).toHaveFocus()

    await userEvent.keyboard('{ArrowUp}')
    await expect.element(editor).toHaveFocus()
    await userEvent.keyboard(' Twice.{Escape}')
    await expect.element(editor).not.toBeInTheDocument()
    await expect.element(answer).toHaveTextContent('Indeed. Watson said so.')
    await expect.element(answer).not.toHaveTextContent('Twice.')
    await expect.element(box).toHaveFocus()

    await userEvent.keyboard('Hm{ArrowUp}')
    await expect.element(editor).not.toBeInTheDocument()
    await expect.element(box).toHaveValue('Hm')
    expect(engine.asked).toHaveLength(1)
  })

  test('Ctrl + Enter answers again; ← and → go through the versions, and behind the last waits a new one', async () => {
    await open('One.', 'Two.', 'Three.')
    await say('Count')
    await userEvent.keyboard('{Control>}{Enter}{/Control}')
    await shows('Two.', 'Version 2 of 2')
    await userEvent.keyboard('{ArrowLeft}')
    await shows('One.', 'Version 1 of 2')
    await userEvent.keyboard('{ArrowLeft}')
    await shows('One.', 'Version 1 of 2')
    await userEvent.keyboard('{ArrowRight}')
    await shows('Two.', 'Version 2 of 2')
    await userEvent.keyboard('{ArrowRight}')
    await shows('Three.', 'Version 3 of 3')
    await userEvent.keyboard('ab{ArrowLeft}c')
    await expect.element(box).toHaveValue('acb')
    await shows('Three.', 'Version 3 of 3')
    expect(engine.asked).toHaveLength(3)
  })

  test('← and → choose the greeting, and nobody is asked for another', async () => {
    await open('Indeed.')
    await expect.element(answer).toHaveTextContent('Good evening.')
    await userEvent.keyboard('{ArrowRight}')
    await expect.element(answer).toHaveTextContent('Come in.')
    await userEvent.keyboard('{ArrowRight}')
    await expect.element(answer).toHaveTextContent('Come in.')
    await userEvent.keyboard('{ArrowLeft}')
    await expect.element(answer).toHaveTextContent('Good evening.')
    expect(engine.asked).toEqual([])
  })

  test('Alt + Enter carries the last answer on', async () => {
    await open('One', ' and two.')
    await say('Count')
    await userEvent.keyboard('{Alt>}{Enter}{/Alt}')
    await expect.element(answer).toHaveTextContent('One and two.')
    expect(answers.elements()).toHaveLength(2)
  })

  test('Esc stops the answer, and what was said stays', async () => {
    await open('one two three four')
    gate.close()
    await userEvent.keyboard('Count{Enter}')
    gate.pass(2)
    await expect.element(answer).toHaveTextContent('one two')
    await userEvent.keyboard('{Escape}')
    gate.pass(Infinity)
    await expect.element(send).toBeVisible()
    await expect.element(answer).toHaveTextContent('one two')
    await expect.element(answer).not.toHaveTextContent('three')
    await expect.element(box).toHaveFocus()
  })

  test('Esc closes Backstage from wherever the focus is', async () => {
    await open('Indeed.')
    const backstage = page.getByRole('complementary', { name: 'Backstage' })
    await page.getByRole('button', { name: 'Backstage' }).click()
    await expect.element(backstage).toBeVisible()
    box.element().focus()
    await expect.element(box).toHaveFocus()
    await userEvent.keyboard('{Escape}')
    await expect.element(backstage).not.toBeInTheDocument()
  })

  test('? outside of the box lists the keys, Esc closes the list; in the box it is a question mark', async () => {
    await open('One.', 'Two.')
    await say('Count')
    await userEvent.keyboard('Why?')
    await expect.element(box).toHaveValue('Why?')
    page.getByRole('region', { name: 'What was said' }).element().focus()
    await userEvent.keyboard('?')
    const list = page.getByRole('dialog', { name: 'Keys' })
    await expect.element(list).toBeVisible()
    await userEvent.keyboard('{Control>}{Enter}{/Control}{Escape}')
    await expect.element(list).not.toBeInTheDocument()
    expect(engine.asked).toHaveLength(1)
  })
})

describe('what a screen reader is told', () => {
  test('an answer comes a sentence at a time, its end with the end, without the marks', async () => {
    const sentences = ['The mud is from Clapham.', '*He turns the pipe over.*', 'So you walked']
    await open(sentences.join(' '))
    const heard = listen()
    gate.close()
    await userEvent.keyboard('Hello{Enter}')
    const told: string[] = []
    for (let token = 1; token <= 12; token++) {
      await passTo(token)
      // A full stop is known to end a sentence once something follows it.
      if (token === 6) told.push('Sherlock Holmes: The mud is from Clapham.')
      if (token === 11) told.push('He turns the pipe over.')
      await expect.poll(() => heard).toEqual(told)
    }
    gate.pass(1)
    await expect.element(send).toBeVisible()
    await expect.poll(() => heard).toEqual([...told, 'So you walked'])
  })

  test('an answer that is carried on is told from there; one that is stopped, as far as it came', async () => {
    await open('One.', ' Two. Three, four.')
    const heard = listen()
    await say('Count')
    await expect.poll(() => heard).toEqual(['Sherlock Holmes: One.'])
    gate.close()
    await userEvent.keyboard('{Alt>}{Enter}{/Alt}')
    await passTo(1)
    await passTo(2)
    await userEvent.keyboard('{Escape}')
    gate.pass(1)
    await expect.element(send).toBeVisible()
    await expect.poll(() => heard).toEqual(['Sherlock Holmes: One.', 'Two.', 'Three,'])
  })

  test('the same words a second time are told a second time', async () => {
    await open('No.')
    const heard = listen()
    await say('Now?')
    await userEvent.keyboard('{Control>}{Enter}{/Control}')
    await expect.element(answer.getByText('Version 2 of 2')).toBeInTheDocument()
    await expect.element(send).toBeVisible()
    await expect.poll(() => heard).toEqual(['Sherlock Holmes: No.', 'Sherlock Holmes: No.'])
  })

  test('nothing, as long as that is chosen', async () => {
    await open('No.', 'Yes.')
    const heard = listen()
    await page.getByRole('button', { name: 'Backstage' }).click()
    const choice = page.getByRole('checkbox', { name: 'Read answers out to a screen reader' })
    await choice.click()
    box.element().focus()
    await say('Now?')
    await choice.click()
    await userEvent.keyboard('{Control>}{Enter}{/Control}')
    await expect.poll(() => heard).toEqual(['Sherlock Holmes: Yes.'])
  })
})
