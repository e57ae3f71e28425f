import { FileButton } from '../shared/FileButton.tsx'
import { useNarrow } from '../shared/useNarrow.ts'
import { receiveFiles } from '../stores/exchange/arrivals.ts'
import { chosenFiles } from '../shared/droppedFiles.ts'
import { arrivalsText } from '../words/arrivals.ts'

/** Brings in whoever is in a file. */
export function AddButton() {
  const isNarrow = useNarrow()
  return (
    <FileButton
      label={arrivalsText('add')}
      icon="in"
      look="quiet"
      iconOnly={isNarrow}
      multiple
      accept=".safetensors,.png,.json,.charx,.zip,.jsonl,.gguf,.yaml,.yml,.byaf,.webp,.jpg,.jpeg"
      about={arrivalsText('add.files')}
      onFiles={(files) => void receiveFiles(chosenFiles(files))}
    />
  )
}
