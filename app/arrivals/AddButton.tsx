import { FileButton } from '../shared/FileButton.tsx'
import { useNarrow } from '../shared/useNarrow.ts'
import { receiveFiles } from '../stores/exchange/arrivals.ts'
import { chosenFiles } from '../shared/droppedFiles.ts'

/** Brings in whoever is in a file. */
export function AddButton() {
  const isNarrow = useNarrow()
  return (
    <FileButton
      label="Add a character"
      icon="in"
      look="quiet"
      iconOnly={isNarrow}
      multiple
      accept=".safetensors,.png,.json,.charx,.zip,.jsonl,.gguf,.yaml,.yml,.byaf,.webp,.jpg,.jpeg"
      about="A pack, a card or a chat"
      onFiles={(files) => void receiveFiles(chosenFiles(files))}
    />
  )
}
