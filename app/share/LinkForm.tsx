import type { SharedForm } from '../../src/exchange/share.ts'
import { useEffect, useState } from 'react'

import { Button } from '../shared/Button.tsx'
import { CopyButton } from '../shared/CopyButton.tsx'
import { useEngine } from '../stores/engine/engine.ts'
import { siteUrl } from '../stores/page/site.ts'
import { QrCode } from './QrCode.tsx'
import styles from './ShareSheet.module.css'
import asides from '../shared/Asides.module.css'
import { detailText } from '../words/details.ts'
import { shareText } from '../words/share.ts'

/** One vector as an address: whoever has the same company can open it. */
export function LinkForm({ link }: { readonly link: SharedForm }) {
  const address = useAddress(link)
  const [isCodeShown, setIsCodeShown] = useState(false)
  const model = useEngine((state) => state.backbone?.name) ?? shareText('link.sameModel')
  return (
    <section className={styles.link} aria-label={shareText('link')}>
      <span className={styles.words}>
        <span className={styles.title}>{shareText('link')}</span>
        <span className={asides.quiet}>
          {'reason' in link
            ? shareText('notThis', { reason: detailText(link.reason) })
            : link.takes === 'model'
              ? shareText('link.model', { model })
              : shareText('link.company')}
        </span>
      </span>
      {address !== null && (
        <>
          <input
            className={styles.address}
            readOnly
            aria-label={shareText('link.address')}
            value={address}
            onFocus={(event) => event.target.select()}
          />
          <div className={styles.row}>
            <CopyButton label={shareText('link.copy')} text={() => address} />
            <Button
              label={isCodeShown ? shareText('link.hideCode') : shareText('link.showCode')}
              aria-expanded={isCodeShown}
              onClick={() => setIsCodeShown(!isCodeShown)}
            />
          </div>
          {isCodeShown && <QrCode text={address} label={shareText('link.code')} />}
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
