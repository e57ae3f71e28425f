import type { Chat } from '../../src/storage/chat.ts'
import { visibleMessages } from '../../src/storage/chat.ts'
import { Button } from '../shared/Button.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import asides from '../shared/Asides.module.css'
import { changeRecap, dismissRecapFailure, stopRecap, sumUp } from '../stores/chat/recap.ts'
import { useRecap } from '../stores/chat/recapWatch.ts'
import { isAnswering, useGeneration } from '../stores/chat/generation.ts'
import { sendsWholeCard, useEngine } from '../stores/engine/engine.ts'
import { useSettings } from '../stores/page/settings.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { Field } from '../teach/parts/Field.tsx'
import { backstageText } from '../words/backstage.ts'

/** What happened in a chat so far: written by the model where it is able to, and by the visitor. */
export function RecapField({ chat }: { readonly chat: Chat }) {
  useSettings((state) => state.cardText)
  useEngine((state) => state.info)
  const writing = useRecap()
  const isBusy = useGeneration(isAnswering)
  const isRehearsing = useTraining(isTraining)
  const isWriting = writing.chat === chat.id
  const text = chat.recap?.text ?? ''
  const isAble = sendsWholeCard()
  return (
    <>
      <Field label={backstageText('recap')}>
        {(id) =>
          isWriting ? (
            <textarea id={id} rows={5} dir="auto" readOnly aria-busy="true" value={writing.text} />
          ) : (
            <textarea
              key={text}
              id={id}
              rows={text === '' ? 2 : 5}
              dir="auto"
              defaultValue={text}
              onBlur={(event) => void changeRecap(chat, event.target.value)}
            />
          )
        }
      </Field>
      {isAble && (
        <div>
          {isWriting ? (
            <Button label={backstageText('recap.stop')} icon="stop" onClick={stopRecap} />
          ) : (
            <Button
              label={text === '' ? backstageText('recap.write') : backstageText('recap.anew')}
              icon="edit"
              disabled={isBusy || isRehearsing || writing.chat !== null || visibleMessages(chat).length < 2}
              onClick={() => void sumUp(chat)}
            />
          )}
        </div>
      )}
      {writing.failure?.chat === chat.id && (
        <ErrorNotice
          failure={writing.failure}
          onRetry={() => void sumUp(chat)}
          onDismiss={dismissRecapFailure}
        />
      )}
      {isAble && text !== '' && <p className={asides.note}>{backstageText('recap.about')}</p>}
    </>
  )
}
