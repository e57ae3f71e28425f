import { useEffect, useState } from 'react'

import { Button } from './Button.tsx'
import { sharedText } from '../words/shared.ts'

interface CopyButtonProps {
  readonly label: string
  /** What is copied, made when it is asked for. */
  readonly text: () => string | Promise<string>
  readonly iconOnly?: boolean
}

/** Copies a text and says so for a moment. */
export function CopyButton({ label, text, iconOnly = false }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<'none' | 'copied' | 'refused'>('none')
  useEffect(() => {
    if (outcome === 'none') return undefined
    const timer = setTimeout(() => setOutcome('none'), 2000)
    return () => clearTimeout(timer)
  }, [outcome])
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(await text())
      setOutcome('copied')
    } catch {
      setOutcome('refused')
    }
  }
  const shown = { none: label, copied: sharedText('copied'), refused: sharedText('copyRefused') }[outcome]
  return (
    <Button
      label={shown}
      icon="copy"
      iconOnly={iconOnly}
      look={iconOnly ? 'quiet' : 'plain'}
      onClick={() => void copy()}
    />
  )
}
