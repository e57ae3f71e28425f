import { install, useInstall } from '../stores/page/install.ts'
import { Button } from './Button.tsx'
import { sharedText } from '../words/shared.ts'

/** Installs the page, where the browser offers it. */
export function InstallButton() {
  const offer = useInstall((state) => state.offer)
  if (!offer) return null
  return <Button label={sharedText('install')} icon="in" onClick={() => void install()} />
}
