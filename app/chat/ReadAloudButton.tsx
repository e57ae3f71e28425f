import { Button } from '../shared/Button.tsx'
import { toggleReading, useReading } from '../stores/chat/reading.ts'
import { chatText } from '../words/chat.ts'

/** Has a message read aloud, or the reading stop. */
export function ReadAloudButton({ message }: { readonly message: string }) {
  const isRead = useReading((state) => state.message === message)
  return (
    <Button
      label={isRead ? chatText('read.stop') : chatText('read')}
      icon={isRead ? 'stop' : 'sound'}
      iconOnly
      look="quiet"
      onClick={() => void toggleReading(message)}
    />
  )
}
