import encodeQr from 'qr'

import styles from './QrCode.module.css'
import { shareText } from '../words/share.ts'

/** The quiet zone that readers need around a code, in modules. */
const BORDER = 4

/** A text as a QR code, drawn here; null where it is too long for one. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const modules = modulesOf(text)
  if (!modules) return <p className={styles.long}>{shareText('link.tooLong')}</p>
  const side = modules.length
  return (
    <svg className={styles.code} viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label}>
      <rect width={side} height={side} className={styles.paper} />
      <path d={pathOf(modules)} className={styles.ink} />
    </svg>
  )
}

function modulesOf(text: string): readonly (readonly boolean[])[] | null {
  try {
    return encodeQr(text, 'raw', { ecc: 'low', border: BORDER })
  } catch {
    return null
  }
}

/** Each run of dark modules as one rectangle. */
function pathOf(modules: readonly (readonly boolean[])[]): string {
  const runs: string[] = []
  for (const [y, row] of modules.entries()) {
    for (let x = 0; x < row.length; x++) {
      const from = x
      while (row[x]) x++
      if (x > from) runs.push(`M${from} ${y}h${x - from}v1h${from - x}z`)
    }
  }
  return runs.join('')
}
