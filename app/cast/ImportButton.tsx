import { useRef, useState } from 'react'

import { failureOf } from '../../src/core/errors.ts'
import type { Failure } from '../../src/core/errors.ts'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { FileButton } from '../shared/FileButton.tsx'
import { importChatFile } from '../stores/chat/chatFiles.ts'
import { castText } from '../words/cast.ts'

/** Brings a chat in from a SillyTavern file. */
export function ImportButton() {
  const button = useRef<HTMLButtonElement>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const read = async (file: File): Promise<void> => {
    setFailure(null)
    try {
      await importChatFile(file)
    } catch (thrown) {
      const { code, message } = failureOf(thrown, 'format-invalid')
      setFailure({ code, message: `${file.name}: ${message}` })
    }
  }
  return (
    <>
      <FileButton
        ref={button}
        label={castText('importChat')}
        icon="in"
        accept=".jsonl,.json,application/jsonl,application/json"
        about={castText('importChat.files')}
        onFiles={([file]) => file && void read(file)}
      />
      {failure && (
        <ErrorNotice
          failure={failure}
          onRetry={() => button.current?.click()}
          onDismiss={() => setFailure(null)}
        />
      )}
    </>
  )
}
