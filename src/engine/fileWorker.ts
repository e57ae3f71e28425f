/*
 * The worker that reads and writes files: one question, one answer (see fileProtocol.ts).
 */
import { failureOf } from '../core/errors.ts'
import { arrive } from '../exchange/arrive.ts'
import { followLink } from '../exchange/followLink.ts'
import { soundLines } from '../exchange/linesIn.ts'
import { writeTrainingKit } from '../exchange/trainingKit.ts'
import { plainPicture } from './pictures.ts'
import type { FromFileWorker, ToFileWorker } from './fileProtocol.ts'
import { writeBlend, writeShares } from '../exchange/share.ts'

const post = (message: FromFileWorker): void => self.postMessage(message)

async function answer(message: ToFileWorker): Promise<unknown> {
  switch (message.kind) {
    case 'arrive':
      return arrive(message.params.files, { backbone: message.params.backbone, plainPicture })
    case 'lines':
      return soundLines(message.params.given)
    case 'follow':
      return followLink(message.params.text, message.params.packs)
    case 'share':
      for await (const value of writeShares(message.params)) post({ kind: 'yield', value })
      return null
    case 'picture':
      return pictureIn(message.params.file)
    case 'blend':
      return writeBlend(message.params)
    case 'kit':
      return writeTrainingKit(message.params)
  }
}

async function pictureIn(file: Blob): Promise<Blob | null> {
  return plainPicture({ bytes: new Uint8Array(await file.arrayBuffer()), mime: file.type })
}

self.addEventListener('message', ({ data }: MessageEvent<ToFileWorker>) => {
  answer(data)
    .then((value) => post({ kind: 'return', value }))
    .catch((error: unknown) => post({ kind: 'throw', ...failureOf(error, 'format-invalid') }))
})
