import { useRef, useState } from 'react'

import { asHycoraError } from '../../src/core/errors.ts'
import { Button } from '../shared/Button.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { importChatFile } from '../stores/chats.ts'
import type { Failure } from '../stores/engine.ts'

/** Brings a chat in from a SillyTavern file. */
export function ImportButton() {
  const input = useRef<HTMLInputElement>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const read = async (file: File): Promise<void> => {
    setFailure(null)
    try {
      await importChatFile(file)
    } catch (thrown) {
      const { code, message } = asHycoraError(thrown, 'format-invalid')
      setFailure({ code, message: `${file.name}: ${message}` })
    }
  }
  return (
    <>
      <Button label="Bring in a chat" icon="in" onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        hidden
        accept=".jsonl,.json,application/jsonl,application/json"
        aria-label="A chat as SillyTavern JSONL"
        onChange={(event) => {
          const file = event.target.files?.[0]
          event.target.value = ''
          if (file) void read(file)
        }}
      />
      {failure && (
        <ErrorNotice
          failure={failure}
          onRetry={() => input.current?.click()}
          onDismiss={() => setFailure(null)}
        />
      )}
    </>
  )
}
