import type { Chat } from '../../src/storage/chat.ts'
import { selectedTake, visibleMessages } from '../../src/storage/chat.ts'
import { Button } from '../shared/Button.tsx'
import { describeLoad } from '../shared/LoadLine.tsx'
import { useEngine } from '../stores/engine/engine.ts'
import { useGeneration } from '../stores/chat/generation.ts'
import { usePreview } from '../stores/chat/preview.ts'
import { showDialog } from '../stores/page/session.ts'
import styles from './Footnote.module.css'
import { chatText } from '../words/chat.ts'
import { decimal } from '../shared/format.ts'

/** backbone · tokens/s · tokens used of context; a click opens what is sent. */
export function Footnote({ chat }: { readonly chat: Chat }) {
  const info = useEngine((state) => state.info)
  const status = useEngine((state) => state.status)
  const isLoading = useEngine((state) => state.phase === 'starting' || state.phase === 'loading')
  const backbone = useEngine((state) => state.backbone)
  const preview = usePreview((state) => (state.chat === chat.id ? state.preview : null))
  const spoken = useGeneration((state) => (state.live?.chat === chat.id ? state.live.tokens : null))
  const generation = lastGeneration(chat)
  const parts = [backbone?.name ?? info?.name ?? chatText('noModel')]
  if (isLoading) {
    const { name, details } = describeLoad(status)
    parts.push(name, ...details)
  } else if (spoken !== null) parts.push(chatText('tokensSoFar', { spoken }))
  else if (generation)
    parts.push(
      chatText('tokensPerSecond', {
        rate: decimal(generation.tokensPerSecond, generation.tokensPerSecond < 10 ? 1 : 0),
      }),
    )
  const used = preview?.tokens ?? (generation ? generation.promptTokens + generation.tokens : null)
  const context = preview?.context ?? info?.context
  if (used !== null && context) parts.push(chatText('tokensUsed', { used, context }))
  return (
    <div className={styles.foot}>
      <button
        type="button"
        className={styles.note}
        title={chatText('sent')}
        onClick={() => showDialog('sent')}
      >
        {parts.join(' · ')}
      </button>
      <span className={styles.keys}>
        <Button
          label={chatText('keys')}
          icon="keys"
          iconOnly
          look="quiet"
          onClick={() => showDialog('keys')}
        />
      </span>
    </div>
  )
}

function lastGeneration(chat: Chat) {
  const last = visibleMessages(chat).findLast((message) => selectedTake(message).generation !== null)
  return last ? selectedTake(last).generation : null
}
