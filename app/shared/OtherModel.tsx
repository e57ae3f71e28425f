import type { ServedBackbone } from '../../src/storage/manifest.ts'
import { chooseBackbone, useEngine } from '../stores/engine/engine.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { Button } from './Button.tsx'
import { Notice } from './Notice.tsx'
import { sharedText } from '../words/shared.ts'

interface OtherModelProps {
  /** What the characters were trained on. */
  readonly backbone: { readonly name: string; readonly fingerprint: string }
  /** What to do once their model stands. */
  readonly then: string
}

/** Characters are for another model than the loaded one: which it is, and the way to it where it is one of ours. */
export function OtherModel({ backbone, then }: OtherModelProps) {
  const backbones = useEngine((state) => state.backbones)
  const loaded = useEngine((state) => state.info?.name) ?? sharedText('anotherModel')
  const isRehearsing = useTraining(isTraining)
  const served = servedFor(backbone, backbones)
  const name = served?.name ?? (backbone.name || sharedText('anotherModel'))
  return (
    <Notice
      title={sharedText('otherModel', { name })}
      tone="warning"
      actions={
        served && (
          <Button
            label={sharedText('switchTo', { name: served.name })}
            look="strong"
            disabled={isRehearsing}
            onClick={() => void chooseBackbone(served.id)}
          />
        )
      }
    >
      <p>
        {sharedText('otherModel.loaded', { loaded })} {served ? then : sharedText('otherModel.notServed')}
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
