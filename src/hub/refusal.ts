import { HycoraError } from '../core/errors.ts'
import { statusOf } from '../download/patience.ts'
import { HUB_URL } from './repository.ts'

/** Why a hub does not give something, and what to do. */
export function refusal(status: number, model: string, hubUrl = HUB_URL): HycoraError {
  if (status === 401 || status === 403) {
    const page = `${hubUrl}/${model.replace(/@.*$/, '')}`
    return new HycoraError(
      'download-refused',
      `${hubUrl} does not give ${model} to strangers (${status}): it is gated, private, or not there. ` +
        `Accept its terms at ${page}, fetch it with \`hycora fetch\` and your HF_TOKEN, and open the folder.`,
    )
  }
  if (status === 404 || status === 410) {
    return new HycoraError(
      'download-refused',
      `${hubUrl} has no model ${model} (${status}): look at how its name and revision are written.`,
    )
  }
  return new HycoraError(
    'download-failed',
    status === 429
      ? `${hubUrl} is asked too often from here (429): try again in some minutes.`
      : `${hubUrl} answered ${status} when it was asked for ${model}: try again later.`,
  )
}

/** Why the files of a hub's listing did not come, and what to do. */
export function fileRefusal(thrown: unknown, model: string, hubUrl = HUB_URL): unknown {
  if (!(thrown instanceof HycoraError)) return thrown
  const status = statusOf(thrown)
  if (status === 401 || status === 403) return refusal(status, model, hubUrl)
  const { code, message } = thrown
  if (status === 404 || status === 410) {
    const gone = `${message}: it was there when ${model} was listed. Look the model up again.`
    return new HycoraError('download-refused', gone, { cause: thrown })
  }
  if (code !== 'download-mismatch') return thrown
  const advice = 'Nothing of that file was used. Look the model up again, or take another revision.'
  return new HycoraError(code, `${message}: ${hubUrl} sends another file than it lists. ${advice}`, {
    cause: thrown,
  })
}
