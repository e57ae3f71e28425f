import type { LinkMissing } from '../../src/exchange/arrival.ts'
import { plainName } from '../../src/cast/plainName.ts'
import { Button } from '../shared/Button.tsx'
import { Notice } from '../shared/Notice.tsx'
import { putAway } from '../stores/exchange/arrivals.ts'
import { chooseBackbone, useEngine } from '../stores/engine/engine.ts'

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
      title={`${name} cannot come alone`}
      tone="warning"
      actions={
        served && (
          <Button
            label={`Switch to ${served.name}`}
            look="strong"
            onClick={() => {
              putAway()
              void chooseBackbone(served.id)
            }}
          />
        )
      }
    >
      <p>A link carries one vector; the weights that give it a voice lie in the company it was made with.</p>
      {served ? (
        <p>It is one of {served.name}. Switch to that model, then open the link again.</p>
      ) : (
        <p>
          {missing.missing === 'backbone'
            ? 'Neither that company nor its model is here.'
            : 'That company is not here.'}{' '}
          Ask whoever sent the link for the file of {name}, and drop it on this page.
        </p>
      )}
    </Notice>
  )
}
