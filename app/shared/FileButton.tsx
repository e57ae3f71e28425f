import { useRef } from 'react'

import { Button } from './Button.tsx'
import type { ButtonProps } from './Button.tsx'

interface FileButtonProps extends Omit<ButtonProps, 'onClick'> {
  /** What the files are, for a screen reader. */
  readonly about: string
  /** Their endings and types, by commas. */
  readonly accept: string
  readonly multiple?: boolean
  /** Called with at least one file. */
  readonly onFiles: (files: readonly File[]) => void
}

/** A button that opens the browser's picker; the same file may be picked again. */
export function FileButton({ about, accept, multiple = false, onFiles, ...button }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <Button {...button} onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        hidden
        multiple={multiple}
        accept={accept}
        aria-label={about}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])]
          event.target.value = ''
          if (files.length > 0) onFiles(files)
        }}
      />
    </>
  )
}
