import type { ServedBackbone } from '../../src/storage/manifest.ts'
import { chooseBackbone, useEngine } from '../stores/engine/engine.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { Button } from './Button.tsx'
import { Notice } from './Notice.tsx'

interface OtherModelProps {
  /** What the characters were trained on. */
  readonly backbone: { readonly name: string; readonly fingerprint: string }
  /** What to do once their model stands. */
  readonly then: string
}

/** Characters are for another model than the loaded one: which it is, and the way to it where it is one of ours. */
export function OtherModel({ backbone, then }: OtherModelProps) {
  const backbones = useEngine((state) => state.backbones)
  const loaded = useEngine((state) => state.info?.name ?? 'another model')
  const isRehearsing = useTraining(isTraining)
  const served = servedFor(backbone, backbones)
  const name = served?.name ?? (backbone.name || 'another model')
  return (
    <Notice
      title={`Made for ${name}`}
      tone="warning"
      actions={
        served && (
          <Button
            label={`Switch to ${served.name}`}
            look="strong"
            disabled={isRehearsing}
            onClick={() => void chooseBackbone(served.id)}
          />
        )
      }
    >
      <p>
        {loaded} is loaded, and these weights would mean nothing to it.{' '}
        {served
          ? then
          : 'Their model is not served here; ask whoever made the file for one on a model that is.'}
      </p>
    </Notice>
  )
}

/** The served model that characters were trained on; undefined where it is none of them. */
function servedFor(
  { fingerprint }: OtherModelProps['backbone'],
  backbones: readonly ServedBackbone[],
): ServedBackbone | undefined {
  return backbones.find((one) => one.fingerprint !== '' && one.fingerprint === fingerprint)
}
