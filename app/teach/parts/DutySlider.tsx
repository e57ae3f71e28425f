import { Slider } from '../../shared/Slider.tsx'
import { useSettings } from '../../stores/page/settings.ts'
import { setDuty } from '../../stores/teach/training.ts'
import { teachText } from '../../words/teach.ts'

/** How much of the time the run leaves the graphics card to everything else. */
export function DutySlider() {
  const duty = useSettings((state) => state.duty)
  const free = Math.round(100 * (1 - duty))
  return (
    <Slider
      label={teachText('duty')}
      about={teachText('duty.about')}
      value={free}
      min={0}
      max={90}
      step={10}
      shown={teachText('duty.free', { free })}
      onChange={(value) => setDuty(1 - value / 100)}
    />
  )
}
