import { Slider } from '../../shared/Slider.tsx'
import { useSettings } from '../../stores/page/settings.ts'
import { setDuty } from '../../stores/teach/training.ts'

/** How much of the time the run leaves the graphics card to everything else. */
export function DutySlider() {
  const duty = useSettings((state) => state.duty)
  const free = Math.round(100 * (1 - duty))
  return (
    <Slider
      label="Leave my computer usable"
      about="The share of time that the graphics card is left to everything else; the rehearsal takes as much longer."
      value={free}
      min={0}
      max={90}
      step={10}
      shown={`${free} % left free`}
      onChange={(value) => setDuty(1 - value / 100)}
    />
  )
}
