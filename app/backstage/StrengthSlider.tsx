import type { Chat } from '../../src/storage/chat.ts'
import { Slider } from '../shared/Slider.tsx'
import { setScene } from '../stores/chat/chats.ts'
import { backstageText } from '../words/backstage.ts'

interface StrengthSliderProps {
  readonly chat: Chat
  readonly isDisabled: boolean
}

/** How strongly whoever was taught plays. */
export function StrengthSlider({ chat: { key, strength }, isDisabled }: StrengthSliderProps) {
  const percent = Math.round(strength * 100)
  return (
    <Slider
      label={backstageText('strength')}
      about={describeStrength(percent)}
      value={percent}
      min={0}
      max={150}
      step={5}
      shown={`${percent} %`}
      isDisabled={isDisabled}
      onChange={(value) => void setScene({ key, strength: value / 100 })}
      {...(percent !== 100 && { onReset: () => void setScene({ key, strength: 1 }) })}
    />
  )
}

function describeStrength(percent: number): string {
  if (percent === 0) return backstageText('strength.bare')
  if (percent < 100) return backstageText('strength.some')
  return percent === 100 ? backstageText('strength.whole') : backstageText('strength.more')
}
