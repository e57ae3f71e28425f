import { Button } from '../../shared/Button.tsx'
import { useEngine } from '../../stores/engine/engine.ts'
import { useGuests } from '../../stores/company/guests.ts'
import { useLines } from '../../stores/teach/lines.ts'
import {
  beginRehearsal,
  changePlan,
  packsToJoin,
  setOption,
  settlePlan,
  useRehearsalPlan,
} from '../../stores/teach/rehearsalPlan.ts'
import { useTraining } from '../../stores/teach/training.ts'
import { stepsOf } from '../../stores/teach/config.ts'
import { stepsOption } from '../../stores/teach/options.ts'
import { AdvancedSettings } from './AdvancedSettings.tsx'
import { Duration } from './Duration.tsx'
import { DutySlider } from '../parts/DutySlider.tsx'
import { Field } from '../parts/Field.tsx'
import { goToStep } from '../parts/goToStep.ts'
import { NumberField } from './NumberField.tsx'
import styles from './RehearsalStep.module.css'
import { RunPanel } from '../run/RunPanel.tsx'
import { WayChoice } from './WayChoice.tsx'
import asides from '../../shared/Asides.module.css'
import { teachText } from '../../words/teach.ts'
import { optionText } from '../../words/option.ts'

/** The second step: how the lines are learnt, and then the learning itself. */
export function RehearsalStep() {
  const phase = useTraining((state) => state.phase)
  const hasLines = useLines((state) => state.report !== null)
  if (phase !== 'none') return <RunPanel />
  if (hasLines) return <PlanRehearsal />
  return <p className={asides.quiet}>{teachText('plan.noLines')}</p>
}

function PlanRehearsal() {
  const plan = useRehearsalPlan()
  const report = useLines((state) => state.report)
  const info = useEngine((state) => state.info)
  const isMute = useEngine(
    ({ phase, info: loaded }) =>
      phase === 'blocked' || phase === 'failed' || loaded?.computing.path === 'wasm',
  )
  const isElsewhere = useTraining((state) => state.isElsewhere)
  const packs = packsToJoin(
    useGuests((state) => state.packs),
    info,
  )
  const joined = packs.find(({ id }) => id === plan.joins)
  const { way, role, obstacle, canJoin } = settlePlan(plan, report, joined ?? info)
  return (
    <div className={styles.plan}>
      <WayChoice value={way} canJoin={canJoin} onChange={(next) => changePlan({ way: next })} />
      {way !== 'all' && <Newcomer role={role} joins={joined?.id ?? ''} packs={packs} />}
      <Pace />
      <DutySlider />
      <AdvancedSettings hasStart={way !== 'all'} />
      {obstacle === null && !isElsewhere && <Duration />}
      <div className={styles.start}>
        <Button
          label={teachText('plan.start')}
          icon="onward"
          look="strong"
          disabled={obstacle !== null || isMute || isElsewhere}
          onClick={() => {
            void beginRehearsal()
            goToStep(2)
          }}
        />
        {obstacle && <p className={styles.note}>{obstacle}</p>}
      </div>
    </div>
  )
}

interface NewcomerProps {
  readonly role: string
  /** The pack of the company, or none for the one that came with the model. */
  readonly joins: string
  readonly packs: readonly { readonly id: string; readonly name: string }[]
}

/** Who is taught of those that the lines name, and whose company they join. */
function Newcomer({ role, joins, packs }: NewcomerProps) {
  const report = useLines((state) => state.report)
  const names = report?.roles.map(({ name }) => name) ?? []
  return (
    <>
      {names.length > 1 && (
        <Field label={teachText('plan.newcomer')}>
          {(id) => (
            <select id={id} value={role} onChange={(event) => changePlan({ role: event.target.value })}>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      {packs.length > 0 && (
        <Field label={teachText('plan.company')}>
          {(id) => (
            <select
              id={id}
              value={joins}
              onChange={(event) => changePlan({ joins: event.target.value || null })}
            >
              <option value="">{teachText('plan.shipped')}</option>
              {packs.map((pack) => (
                <option key={pack.id} value={pack.id}>
                  {pack.name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </>
  )
}

/** How long it goes, and what is asked on the way how often. */
function Pace() {
  const plan = useRehearsalPlan()
  return (
    <>
      <div className={styles.pair}>
        <NumberField
          label={optionText('steps')}
          about={optionText('steps.about')}
          value={stepsOf(plan.overrides)}
          min={stepsOption.min}
          max={stepsOption.max}
          isWhole
          onChange={(steps) => setOption(stepsOption, steps)}
        />
        <NumberField
          label={teachText('plan.askEvery')}
          about={teachText('plan.askEvery.about')}
          value={plan.everySteps}
          min={1}
          max={1_000_000}
          isWhole
          onChange={(everySteps) => changePlan({ everySteps: everySteps ?? 10 })}
        />
      </div>
      <Field label={teachText('plan.questions')} about={teachText('plan.questions.about')}>
        {(id, aboutId) => (
          <textarea
            id={id}
            rows={3}
            aria-describedby={aboutId}
            value={plan.prompts}
            onChange={(event) => changePlan({ prompts: event.target.value })}
          />
        )}
      </Field>
    </>
  )
}
