import { expect, onTestFinished, test, vi } from 'vitest'

import { readingPage } from '../../src/cli/blind/reading.ts'
import type { Form } from '../../src/cli/blind/reading.ts'

const items = [1, 2].map((id) => ({
  id,
  role: 'Alice',
  before: 'Good day.',
  question: `Question ${id}?`,
  answers: ['Yes, <b>mostly</b>.', 'No.'],
}))

/** The page in a frame of its own, and what it saves. */
async function openPage(form: Form) {
  const frame = document.createElement('iframe')
  frame.srcdoc = readingPage({ id: `${form}-${performance.now()}`, form, items })
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve))
  document.body.append(frame)
  onTestFinished(() => frame.remove())
  await loaded
  const inside = frame.contentDocument!
  const created = vi.spyOn((frame.contentWindow as unknown as typeof globalThis).URL, 'createObjectURL')
  return {
    inside,
    choose: (name: string, value: number): void => {
      inside.querySelector<HTMLInputElement>(`input[name="${name}"][value="${value}"]`)!.click()
    },
    save: async (): Promise<{ readonly form: string; readonly marks: unknown }> => {
      inside.querySelector<HTMLButtonElement>('#save')!.click()
      const saved = created.mock.lastCall![0] as Blob
      return JSON.parse(await saved.text()) as { form: string; marks: unknown }
    },
  }
}

test('a reader marks every answer, and the page saves the marks', async () => {
  const { inside, choose, save } = await openPage('scores')
  expect(inside.body.textContent).toContain('Yes, <b>mostly</b>.')
  expect(inside.querySelectorAll('section')).toHaveLength(2)
  for (const at of [0, 1]) for (const what of ['topic', 'sense', 'voice']) choose(`1 ${at} ${what}`, 2 - at)
  expect(inside.querySelector('#progress')!.textContent).toBe('1 of 2 read.')
  expect(await save()).toMatchObject({
    form: 'scores',
    marks: {
      1: [
        { topic: 2, sense: 2, voice: 2 },
        { topic: 1, sense: 1, voice: 1 },
      ],
    },
  })
})

test('or says which answer is better, or none', async () => {
  const { inside, choose, save } = await openPage('preference')
  choose('1 preferred', 1)
  choose('2 preferred', -1)
  expect(inside.querySelector('#progress')!.textContent).toBe('2 of 2 read.')
  expect(await save()).toMatchObject({ form: 'preference', marks: { 1: 1, 2: -1 } })
})
