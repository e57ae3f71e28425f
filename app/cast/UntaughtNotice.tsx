import { useEngine } from '../stores/engine/engine.ts'
import { routeHash } from '../stores/page/route.ts'
import { teachCast } from '../stores/teach/teachCast.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { Button } from '../shared/Button.tsx'
import { Notice } from '../shared/Notice.tsx'
import { castText } from '../words/cast.ts'

/** On a model that the cast was not taught to: how they play on it, and how they learn to play better. */
export function UntaughtNotice() {
  const info = useEngine((state) => state.info)
  const isReady = useEngine((state) => state.phase === 'ready')
  const isRehearsing = useTraining(isTraining)
  if (!isReady || !info || info.roles.length > 0 || isRehearsing) return null
  const canLearn = info.computing.path === 'webgpu'
  return (
    <Notice
      title={castText('untaught', { name: info.name })}
      tone="calm"
      actions={
        canLearn && (
          <Button
            label={castText('untaught.teach')}
            onClick={() => {
              location.hash = routeHash({ screen: 'teach' })
              void teachCast()
            }}
          />
        )
      }
    >
      <p>{canLearn ? castText('untaught.canLearn') : castText('untaught.cannot')}</p>
    </Notice>
  )
}
