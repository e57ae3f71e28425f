import { useEffect, useRef, useState } from 'react'

import type { CatalogueEntry } from '../../src/hub/catalogue.ts'
import { KERNEL_FAMILIES } from '../../src/hub/modelFit.ts'
import type { Fit } from '../../src/hub/modelFit.ts'
import type { Hub } from '../../src/hub/hubs.ts'
import { precisionText } from '../../src/hub/variants.ts'
import { Button } from '../shared/Button.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { Fold } from '../shared/Fold.tsx'
import { bytes } from '../shared/format.ts'
import {
  chooseVariant,
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

/** Another model than the site's: from a hub, or from a folder on this device. */
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
        </>
      )}
      {phase === 'looking' && (
        <p role="status" className={asides.quiet}>
          Looking at what is there …
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
    <section className={styles.add} aria-label={`From ${hub.name}`}>
      <form
        className={styles.ask}
        onSubmit={(event) => {
          event.preventDefault()
          void lookAtHub(text, hub)
        }}
      >
        <input
          ref={field}
          aria-label={`A model on ${hub.name}`}
          placeholder="owner/name, or its address"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" label="Look it up" disabled={text.trim() === ''} />
      </form>
      <p className={asides.note}>
        This asks {host} what it has of the model, and nothing before you say so. Your chats stay here.
      </p>
      {catalogue.length > 0 && (
        <Fold title="Models that are worth a look">
          <p className={asides.note}>Nobody has tried these very files here: the hub says what is there.</p>
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
  const { repository, about, languages, licence, licenceUrl, family, isGated } = entry
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
        .{isGated && ' The hub gives it to those who have accepted its terms.'}
        {!KERNEL_FAMILIES.includes(family) && ' Computed by the processor, where nobody can rehearse.'}
      </span>
    </li>
  )
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
    <section className={styles.add} aria-label="From this device">
      <div className={styles.row}>
        <Button label="Open a folder with a model" onClick={() => void pick()} />
      </div>
      <input
        ref={(element) => {
          input.current = element
          element?.setAttribute('webkitdirectory', '')
        }}
        type="file"
        hidden
        aria-label="The folder of a model"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])]
          event.target.value = ''
          if (files.length > 0) void lookAtFiles(files)
        }}
      />
      <p className={asides.note}>
        An ONNX model with its config.json and tokenizer.json, as hubs have them. It is read where it lies
        {hasPicker(window) ? '.' : '; this browser cannot remember a folder, so that a copy of it is kept.'}
      </p>
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
      <fieldset aria-label="Form" disabled={isKeeping}>
        {offer.variants.map(({ label, model, bytes: own }, index) => (
          <label key={model} className={choices.choice}>
            <input
              type="radio"
              name="form"
              checked={index === chosen}
              onChange={() => chooseVariant(index)}
            />
            <span>{[label, precisionText(label)].filter(Boolean).join(' · ')}</span>
            <span className={choices.size}>
              {[fitText(fits?.[index]), bytes(own)].filter(Boolean).join(' · ')}
            </span>
          </label>
        ))}
      </fieldset>
      {freeBytes !== null && wanted > freeBytes && (
        <p className={asides.note}>
          This browser has room for {bytes(freeBytes)} more: without more of it, this form is fetched again on
          each visit.
        </p>
      )}
      <div className={styles.row}>
        <Button
          label={offer.kind === 'hub' ? `Fetch ${size} and play with it` : 'Play with it'}
          look="strong"
          disabled={isKeeping}
          onClick={() => void takeOffer()}
        />
        <Button label="Put away" look="quiet" disabled={isKeeping} onClick={putAwayOffer} />
      </div>
    </section>
  )
}

/** How a form fits on this device, in a word or two. */
function fitText(fit: Fit | undefined): string {
  if (fit === undefined) return ''
  return { fits: 'fits', tight: 'tight', processor: 'by the processor', 'too-large': 'too large' }[fit]
}

function factsOf(offer: Offer): string {
  const count = offer.variants.length
  const forms = count === 1 ? 'One form of it is there.' : `${count} forms of it are there.`
  if (offer.kind === 'folder') return `${offer.name}: ${forms}`
  const { licence, isGated, revision } = offer.listing
  const terms = isGated ? ' Its owner gives it only to those who have accepted the terms.' : ''
  return `${offer.name} at ${revision.slice(0, 10)}. Licence: ${licence || 'not named'}. ${forms}${terms}`
}
