// The cast's own lines, and a rehearsal that suits the model they are taught to. No state.
import { useEngine } from '../engine/engine.ts'
import { castRecipe } from '../../../src/cast/castRecipe.ts'
import { chosenOptions } from './config.ts'
import { openExample } from './lines.ts'
import { useRehearsalPlan } from './rehearsalPlan.ts'

const LINES = 'cast/lines.jsonl'

/** Puts the cast's lines and their rehearsal in place; nothing begins before the visitor says so. */
export async function teachCast(): Promise<void> {
  const { info } = useEngine.getState()
  useRehearsalPlan.setState({
    way: 'all',
    role: null,
    joins: null,
    overrides: chosenOptions(castRecipe(info?.parameters ?? 0)),
    prompts: 'Who are you?\nWhere do you live?\nWhat do you love most?',
    everySteps: 50,
  })
  await openExample(LINES)
}
