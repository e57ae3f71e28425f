import { showBackstage, useSession } from '../stores/page/session.ts'
import { Button } from './Button.tsx'
import { sharedText } from '../words/shared.ts'

/** Opens the drawer beside the screen, and closes it. */
export function BackstageButton({ iconOnly = false }: { readonly iconOnly?: boolean }) {
  const isOpen = useSession((state) => state.isBackstageOpen)
  return (
    <Button
      label={sharedText('backstage')}
      icon="curtain"
      iconOnly={iconOnly}
      look="quiet"
      aria-expanded={isOpen}
      onClick={() => showBackstage(!isOpen)}
    />
  )
}
