import { useRef } from 'react'

import { Button } from '../shared/Button.tsx'
import { useNarrow } from '../shared/useNarrow.ts'
import { receiveFiles } from '../stores/arrivals.ts'
import { chosenFiles } from './droppedFiles.ts'

/** Brings in whoever is in a file. */
export function AddButton() {
  const isNarrow = useNarrow()
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <Button
        label="Add a character"
        icon="in"
        look="quiet"
        iconOnly={isNarrow}
        onClick={() => input.current?.click()}
      />
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept=".safetensors,.png,.json,.charx,.zip,.jsonl,.gguf"
        aria-label="A pack, a card or a chat"
        onChange={(event) => {
          const files = chosenFiles(event.target.files ?? [])
          event.target.value = ''
          void receiveFiles(files)
        }}
      />
    </>
  )
}
