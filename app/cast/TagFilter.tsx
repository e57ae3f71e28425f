import { useState } from 'react'

import type { CastMember } from '../../src/cast/member.ts'
import { Button } from '../shared/Button.tsx'
import { count } from '../shared/format.ts'
import hidden from '../shared/VisuallyHidden.module.css'
import { hasTags, tagsAmong } from './castTags.ts'
import styles from './TagFilter.module.css'
import { castText } from '../words/cast.ts'

/** So many tags stand there before all are asked for. */
const FEW_TAGS = 10

interface TagFilterProps {
  readonly members: readonly CastMember[]
  /** The keys of the tags that everybody shown has. */
  readonly chosen: readonly string[]
  readonly onChoose: (chosen: readonly string[]) => void
}

/** The tags of the cast: each that is pressed leaves only those who have it. */
export default function TagFilter({ members, chosen, onChoose }: TagFilterProps) {
  const [isOpen, setIsOpen] = useState(false)
  const left = members.filter((member) => hasTags(member, chosen))
  const tags = tagsAmong(chosen.length > 0 ? left : members, chosen)
  const shown = isOpen ? tags : tags.slice(0, FEW_TAGS)
  const others = chosen.filter((key) => !shown.some((tag) => tag.key === key))
  const listed = [...tags.filter(({ key }) => others.includes(key)), ...shown]
  if (tags.length === 0) return null
  return (
    <div className={styles.tags} role="group" aria-label={castText('tags')}>
      {listed.map(({ key, name, count: of }) => {
        const isChosen = chosen.includes(key)
        return (
          <button
            key={key}
            type="button"
            className={styles.tag}
            aria-pressed={isChosen}
            onClick={() => onChoose(isChosen ? chosen.filter((one) => one !== key) : [...chosen, key])}
          >
            <bdi>{name}</bdi> <span className={styles.count}>{count(of)}</span>
          </button>
        )
      })}
      {tags.length > FEW_TAGS && (
        <Button
          label={isOpen ? castText('tags.fewer') : castText('tags.all', { tags: tags.length })}
          look="quiet"
          aria-expanded={isOpen}
          onClick={() => setIsOpen(!isOpen)}
        />
      )}
      {chosen.length > 0 && (
        <Button label={castText('tags.everybody')} icon="close" look="quiet" onClick={() => onChoose([])} />
      )}
      <p role="status" className={hidden.hidden}>
        {chosen.length > 0 && castText('tags.shown', { left: left.length, members: members.length })}
      </p>
    </div>
  )
}
