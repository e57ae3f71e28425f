import { useState } from 'react'

import { asHycoraError } from '../../src/core/errors.ts'
import { Button } from '../shared/Button.tsx'
import { Detail } from '../shared/Detail.tsx'
import { FileButton } from '../shared/FileButton.tsx'
import { Portrait } from '../shared/Portrait.tsx'
import { readPictureFile } from '../stores/exchange/pictureFile.ts'
import styles from './CardEditor.module.css'
import { backstageText } from '../words/backstage.ts'

interface PortraitEditorProps {
  /** Who is shown without a picture of their own. */
  readonly name: string
  /** What is drawn on their card; null where nothing is. */
  readonly drawn: string | Blob | null
  readonly picture: Blob | null
  readonly onChange: (picture: Blob | null) => void
}

/** The picture of a guest, to be changed or taken away. */
export function PortraitEditor({ name, drawn, picture, onChange }: PortraitEditorProps) {
  const [failure, setFailure] = useState<string | null>(null)
  const choose = async (file: File | undefined): Promise<void> => {
    if (!file) return
    try {
      onChange(await readPictureFile(file))
      setFailure(null)
    } catch (thrown) {
      setFailure(asHycoraError(thrown, 'format-invalid').message)
    }
  }
  return (
    <div className={styles.picture}>
      <Portrait member={{ displayName: name, portrait: picture ?? drawn }} size="large" />
      <div className={styles.pictureButtons}>
        <FileButton
          label={backstageText('portrait')}
          icon="in"
          accept="image/png,image/jpeg,image/webp,image/gif,image/avif"
          about={backstageText('portrait.of', { name })}
          onFiles={([file]) => void choose(file)}
        />
        {picture && (
          <Button
            label={backstageText('portrait.remove')}
            icon="bin"
            look="quiet"
            onClick={() => onChange(null)}
          />
        )}
        {failure !== null && (
          <p role="alert" className={styles.failure}>
            <Detail detail={failure} isSentence />
          </p>
        )}
      </div>
    </div>
  )
}
