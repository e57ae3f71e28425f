import { Button } from '../shared/Button.tsx'
import { toggleReading, useReading } from '../stores/chat/reading.ts'

/** Has a message read aloud, or the reading stop. */
export function ReadAloudButton({ message }: { readonly message: string }) {
  const isRead = useReading((state) => state.message === message)
  return (
    <Button
      label={isRead ? 'Stop reading' : 'Read aloud'}
      icon={isRead ? 'stop' : 'sound'}
      iconOnly
      look="quiet"
      onClick={() => void toggleReading(message)}
    />
  )
}
