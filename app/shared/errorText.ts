import type { ErrorCode } from '../../src/core/errors.ts'

/** What is said of an error: what happened, and what is safe and what to do. */
export interface Advice {
  readonly title: string
  readonly advice: string
  readonly action: 'retry' | 'reload' | 'none'
}

/** Advice for every error there is. */
export const errorText: Readonly<Record<ErrorCode, Advice>> = {
  'webgpu-unavailable': {
    title: 'The graphics card cannot be reached',
    advice:
      'Your chats are safe. Choose “The faster” or “Processor” under Backstage, Computed by; or reload the page, and if it happens again, restart the browser.',
    action: 'reload',
  },
  'device-lost': {
    title: 'The graphics card was taken away',
    advice: 'What was said so far is kept. Ask again, or reload the page.',
    action: 'retry',
  },
  'out-of-memory': {
    title: 'There is too little memory left',
    advice:
      'Your chats are safe. Close other tabs, and games that use the graphics card, then try again; or choose a smaller model in Backstage.',
    action: 'retry',
  },
  'shader-invalid': {
    title: 'This browser does not accept our programs for the graphics card',
    advice:
      'Your chats are safe. Update the browser; if that does not help, copy the details and send them to us.',
    action: 'none',
  },
  'shape-mismatch': {
    title: 'A calculation did not fit together',
    advice: 'This is our mistake. Your chats are safe. Copy the details and send them to us.',
    action: 'reload',
  },
  'format-invalid': {
    title: 'The file is not what it says it is',
    advice: 'Nothing of it was used. Try another copy of the file.',
    action: 'none',
  },
  'format-unsupported': {
    title: 'The file is of a kind that is not read here',
    advice: 'Nothing of it was used.',
    action: 'none',
  },
  'model-incompatible': {
    title: 'The characters and the model do not fit together',
    advice: 'Nothing was changed. The characters rehearsed on another model.',
    action: 'none',
  },
  'template-refused': {
    title: 'The model does not take a chat of this form',
    advice:
      'Your chat is safe. The model has its own rules for the order of turns; begin a new chat, or choose another model in Backstage.',
    action: 'none',
  },
  'not-a-number': {
    title: 'The model computes no numbers',
    advice:
      'What was said so far is kept. Choose “Processor” under Backstage, Computed by; if that does not help, the model’s file is damaged or was converted badly: take another.',
    action: 'none',
  },
  'wrong-answers': {
    title: 'The graphics card computes wrongly',
    advice:
      'Update its driver and the browser, then reload the page; until then choose “Processor” under Backstage, Computed by. The diagnostics say which card it is: please send them.',
    action: 'reload',
  },
  'download-failed': {
    title: 'The download stopped',
    advice:
      'What came is kept, and the download goes on from there. Check the connection and try again; back on line, it tries by itself.',
    action: 'retry',
  },
  'download-mismatch': {
    title: 'The server sends another file than it should',
    advice:
      'Nothing of that file was used. Reload the page: the site may have been renewed. If it happens again, the files of this site are damaged; copy the details and send them to whoever runs it.',
    action: 'reload',
  },
  'download-refused': {
    title: 'The server does not give this out',
    advice: 'Nothing was changed. The details say why, and what to do.',
    action: 'none',
  },
  'training-diverged': {
    title: 'The rehearsal went astray',
    advice: 'The last good state is kept. Begin again with a smaller learning rate.',
    action: 'none',
  },
  'storage-full': {
    title: 'There is no room left to keep this',
    advice:
      'What is on the screen is still here. Save the chat to a file, then free some space in the browser.',
    action: 'none',
  },
  'storage-corrupt': {
    title: 'The browser does not let this page keep anything',
    advice: 'Chats last until the page closes. Save the ones you want to a file.',
    action: 'none',
  },
  usage: {
    title: 'That cannot be done here',
    advice: 'Nothing was changed.',
    action: 'none',
  },
  cancelled: {
    title: 'Stopped',
    advice: 'What was said so far is kept.',
    action: 'none',
  },
}
