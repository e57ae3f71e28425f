import type { SharedForm } from '../../src/exchange/share.ts'
import { useEffect, useState } from 'react'

import { Button } from '../shared/Button.tsx'
import { CopyButton } from '../shared/CopyButton.tsx'
import { useEngine } from '../stores/engine/engine.ts'
import { siteUrl } from '../stores/page/site.ts'
import { QrCode } from './QrCode.tsx'
import styles from './ShareSheet.module.css'
import asides from '../shared/Asides.module.css'

/** One vector as an address: whoever has the same company can open it. */
export function LinkForm({ link }: { readonly link: SharedForm }) {
  const address = useAddress(link)
  const [isCodeShown, setIsCodeShown] = useState(false)
  const model = useEngine((state) => state.backbone?.name ?? 'the same model')
  return (
    <section className={styles.link} aria-label="A link">
      <span className={styles.words}>
        <span className={styles.title}>A link</span>
        <span className={asides.quiet}>
          {'reason' in link
            ? `Not this one: ${link.reason}.`
            : `Only the character’s vector travels, in the address itself; nothing is stored anywhere. ${
                link.takes === 'model'
                  ? `Whoever opens this page with ${model} can follow it.`
                  : 'It opens for those who have the company that this character was taught in: give them its file once, and links from then on.'
              }`}
        </span>
      </span>
      {address !== null && (
        <>
          <input
            className={styles.address}
            readOnly
            aria-label="The link"
            value={address}
            onFocus={(event) => event.target.select()}
          />
          <div className={styles.row}>
            <CopyButton label="Copy the link" text={() => address} />
            <Button
              label={isCodeShown ? 'Hide the code' : 'Show it as a code'}
              aria-expanded={isCodeShown}
              onClick={() => setIsCodeShown(!isCodeShown)}
            />
          </div>
          {isCodeShown && <QrCode text={address} label="The link as a QR code" />}
        </>
      )}
    </section>
  )
}

/** The whole address of a link; null until it is there, and where there is none. */
function useAddress(link: SharedForm): string | null {
  const [address, setAddress] = useState<string | null>(null)
  useEffect(() => {
    if (!('file' in link)) return
    void link.file.text().then((text) => setAddress(`${siteUrl('')}#/meet/${text}`))
  }, [link])
  return address
}
