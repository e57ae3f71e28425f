import { useEffect, useRef, useState } from 'react'

import type { CatalogueEntry, Tried } from '../../src/hub/catalogue.ts'
import { KERNEL_FAMILIES } from '../../src/hub/modelFit.ts'
import type { Fit } from '../../src/hub/modelFit.ts'
import type { Hub } from '../../src/hub/hubs.ts'
import { precisionOf } from '../../src/hub/variants.ts'
import { Button } from '../shared/Button.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { Fold } from '../shared/Fold.tsx'
import { bytes, list } from '../shared/format.ts'
import {
  chooseVariant,
  lookAtAddress,
  lookAtFiles,
  lookAtFolder,
  lookAtHub,
  openHubs,
  putAwayOffer,
  takeOffer,
  useAddModel,
} from '../stores/engine/addModel.ts'
import type { Offer } from '../stores/engine/addModel.ts'
import asides from '../shared/Asides.module.css'
import styles from './AddModel.module.css'
import choices from './ModelSection.module.css'
import { backstageText } from '../words/backstage.ts'
import { sharedText } from '../words/shared.ts'

/** Another model than the site's: from a hub, from a folder on this device, or from an address on this site. */
export default function AddModel() {
  const { phase, hubs, offer, failure } = useAddModel()
  useEffect(() => {
    void openHubs()
  }, [])
  return (
    <div className={styles.add}>
      {phase === 'idle' && (
        <>
          {hubs.map((hub) => (
            <HubForm key={hub.url} hub={hub} />
          ))}
          <FolderForm />
          <AddressForm />
        </>
      )}
      {phase === 'looking' && (
        <p role="status" className={asides.quiet}>
          {backstageText('add.looking')}
        </p>
      )}
      {offer && <OfferForm offer={offer} />}
      {failure && <ErrorNotice failure={failure} onDismiss={putAwayOffer} />}
    </div>
  )
}

function HubForm({ hub }: { readonly hub: Hub }) {
  const [text, setText] = useState('')
  const catalogue = useAddModel((state) => state.catalogue)
  const field = useRef<HTMLInputElement>(null)
  const host = new URL(hub.url).host
  return (
    <section className={styles.add} aria-label={backstageText('add.from', { name: hub.name })}>
      <form
        className={styles.ask}
        onSubmit={(event) => {
          event.preventDefault()
          void lookAtHub(text, hub)
        }}
      >
        <input
          ref={field}
          aria-label={backstageText('add.field', { name: hub.name })}
          placeholder={backstageText('add.hint')}
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" label={backstageText('add.look')} disabled={text.trim() === ''} />
      </form>
      <p className={asides.note}>{backstageText('add.asks', { host })}</p>
      {catalogue.length > 0 && (
        <Fold title={backstageText('add.worth')}>
          <p className={asides.note}>{backstageText('add.worth.about')}</p>
          <ul className={styles.catalogue}>
            {catalogue.map((entry) => (
              <Suggestion
                key={entry.repository}
                entry={entry}
                onChoose={() => {
                  setText(entry.repository)
                  field.current?.focus()
                }}
              />
            ))}
          </ul>
        </Fold>
      )}
    </section>
  )
}

function Suggestion({ entry, onChoose }: { readonly entry: CatalogueEntry; readonly onChoose: () => void }) {
  const { repository, about, languages, licence, licenceUrl, family, isGated, hasOnnx, tried } = entry
  return (
    <li className={styles.entry}>
      <button type="button" className={styles.name} onClick={onChoose}>
        {repository}
      </button>
      <span className={asides.note}>
        {about}; {languages};{' '}
        <a href={licenceUrl} target="_blank" rel="noreferrer">
          {licence}
        </a>
        .{isGated && ` ${backstageText('add.gated')}`}
        {!KERNEL_FAMILIES.includes(family) && ` ${backstageText('add.processor')}`}
        {!hasOnnx && ` ${backstageText('add.noOnnx')}`} {triedText(tried)}
      </span>
    </li>
  )
}

/** What of a model was tried here. */
function triedText({ what, forms }: Tried): string {
  if (what === 'nothing') return backstageText('add.tried.nothing')
  return backstageText(`add.tried.${what}`, { forms: list(forms) })
}

/** What a browser that can remember a folder has; the others hand over its files. */
interface FolderPicker {
  showDirectoryPicker(options: { readonly id: string }): Promise<FileSystemDirectoryHandle>
}

function hasPicker(value: object): value is FolderPicker {
  return 'showDirectoryPicker' in value
}

function FolderForm() {
  const input = useRef<HTMLInputElement>(null)
  const pick = async (): Promise<void> => {
    if (!hasPicker(window)) {
      input.current?.click()
      return
    }
    // Who closes the picker has chosen nothing.
    const folder = await window.showDirectoryPicker({ id: 'models' }).catch(() => null)
    if (folder) await lookAtFolder(folder)
  }
  return (
    <section className={styles.add} aria-label={backstageText('add.device')}>
      <div className={styles.row}>
        <Button label={backstageText('add.open')} onClick={() => void pick()} />
      </div>
      <input
        ref={(element) => {
          input.current = element
          element?.setAttribute('webkitdirectory', '')
        }}
        type="file"
        hidden
        aria-label={backstageText('add.folder')}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])]
          event.target.value = ''
          if (files.length > 0) void lookAtFiles(files)
        }}
      />
      <p className={asides.note}>
        {backstageText(hasPicker(window) ? 'add.folder.about' : 'add.folder.copied')}
      </p>
    </section>
  )
}

function AddressForm() {
  const [text, setText] = useState('')
  return (
    <section className={styles.add} aria-label={backstageText('add.site')}>
      <form
        className={styles.ask}
        onSubmit={(event) => {
          event.preventDefault()
          void lookAtAddress(text)
        }}
      >
        <input
          aria-label={backstageText('add.address')}
          placeholder={backstageText('add.address.hint')}
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" label={backstageText('add.address.look')} disabled={text.trim() === ''} />
      </form>
      <p className={asides.note}>{backstageText('add.address.about', { host: location.host })}</p>
    </section>
  )
}

function OfferForm({ offer }: { readonly offer: Offer }) {
  const chosen = useAddModel((state) => state.chosen)
  const isKeeping = useAddModel((state) => state.phase === 'keeping')
  const fits = useAddModel((state) => state.fits)
  const freeBytes = useAddModel((state) => state.freeBytes)
  const wanted = offer.variants[chosen]?.bytes ?? 0
  const size = bytes(wanted)
  return (
    <section className={styles.add} aria-label={offer.name}>
      <p className={asides.quiet}>{factsOf(offer)}</p>
      <fieldset aria-label={backstageText('add.form')} disabled={isKeeping}>
        {offer.variants.map(({ label, model, bytes: own }, index) => (
          <label key={model} className={choices.choice}>
            <input
              type="radio"
              name="form"
              checked={index === chosen}
              onChange={() => chooseVariant(index)}
            />
            <span>{[label, precisionIn(label)].filter(Boolean).join(' · ')}</span>
            <span className={choices.size}>
              {[fitText(fits?.[index]), bytes(own)].filter(Boolean).join(' · ')}
            </span>
          </label>
        ))}
      </fieldset>
      {freeBytes !== null && wanted > freeBytes && (
        <p className={asides.note}>{backstageText('add.room', { free: bytes(freeBytes) })}</p>
      )}
      <div className={styles.row}>
        <Button
          label={offer.kind === 'folder' ? backstageText('add.play') : backstageText('add.fetch', { size })}
          look="strong"
          disabled={isKeeping}
          onClick={() => void takeOffer()}
        />
        <Button label={sharedText('putAway')} look="quiet" disabled={isKeeping} onClick={putAwayOffer} />
      </div>
    </section>
  )
}

/** What the label of a form says of its weights, in words. */
function precisionIn(label: string): string {
  const precision = precisionOf(label)
  if (!precision) return ''
  return backstageText(precision.inHalves ? 'add.bits.halves' : 'add.bits', { bits: precision.bits })
}

/** How a form fits on this device, in a word or two. */
function fitText(fit: Fit | undefined): string {
  if (fit === undefined) return ''
  return backstageText(`add.fit.${fit}`)
}

function factsOf(offer: Offer): string {
  const count = offer.variants.length
  const forms = backstageText('add.forms', { count })
  if (offer.kind !== 'hub') return backstageText('add.facts.folder', { name: offer.name, forms })
  const { licence, isGated, revision } = offer.listing
  const terms = isGated ? ` ${backstageText('add.terms')}` : ''
  return backstageText('add.facts', {
    name: offer.name,
    revision: revision.slice(0, 10),
    licence: licence || backstageText('add.licence.none'),
    forms,
    terms,
  })
}
