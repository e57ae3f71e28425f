import { useId } from 'react'

import type { CastMember } from '../../src/cast/member.ts'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { Button } from '../shared/Button.tsx'
import styles from './BlendScreen.module.css'
import { blendText } from '../words/blend.ts'

interface PartRowProps {
  readonly member: CastMember | undefined
  readonly percent: number
  readonly onChange: (percent: number) => void
  readonly onRemove: () => void
}

/** How much of somebody is in the mix, from their opposite to twice themselves. */
export function PartRow({ member, percent, onChange, onRemove }: PartRowProps) {
  const id = useId()
  const name = member?.displayName ?? blendText('left')
  return (
    <li className={styles.part} {...accentProps(member?.accent)}>
      <Portrait member={member} size="small" />
      <label htmlFor={id} className={styles.who}>
        {name}
      </label>
      <output className={styles.percent} htmlFor={id}>
        {percent} %
      </output>
      <Button label={blendText('remove', { name })} icon="close" iconOnly look="quiet" onClick={onRemove} />
      <input
        id={id}
        className={styles.range}
        type="range"
        min={-100}
        max={200}
        step={5}
        value={percent}
        aria-valuetext={`${percent} %`}
        onChange={(event) => onChange(Number(event.target.value))}
        onDoubleClick={() => onChange(0)}
      />
    </li>
  )
}
