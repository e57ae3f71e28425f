import type { LinkMissing } from '../../src/exchange/arrival.ts'
import { plainName } from '../../src/cast/plainName.ts'
import { Button } from '../shared/Button.tsx'
import { Notice } from '../shared/Notice.tsx'
import { putAway } from '../stores/exchange/arrivals.ts'
import { chooseBackbone, useEngine } from '../stores/engine/engine.ts'
import { arrivalsText } from '../words/arrivals.ts'
import { sharedText } from '../words/shared.ts'

/** A link leads to somebody who cannot come without what is not here: what that is, and what to do. */
export function MissingCompany({ missing }: { readonly missing: LinkMissing }) {
  const backbones = useEngine((state) => state.backbones)
  const loaded = useEngine((state) => state.info?.fingerprint ?? '')
  const name = plainName(missing.name)
  const served = backbones.find(
    ({ fingerprint }) =>
      missing.backbone !== '' && fingerprint.startsWith(missing.backbone) && fingerprint !== loaded,
  )
  return (
    <Notice
      title={arrivalsText('missing', { name })}
      tone="warning"
      actions={
        served && (
          <Button
            label={sharedText('switchTo', { name: served.name })}
            look="strong"
            onClick={() => {
              putAway()
              void chooseBackbone(served.id)
            }}
          />
        )
      }
    >
      <p>{arrivalsText('missing.why')}</p>
      {served ? (
        <p>{arrivalsText('missing.served', { name: served.name })}</p>
      ) : (
        <p>{arrivalsText(missing.missing === 'backbone' ? 'missing.both' : 'missing.company', { name })}</p>
      )}
    </Notice>
  )
}
