export const words = {
  'webgpu-unavailable.title': 'The graphics card cannot be reached',
  'webgpu-unavailable.advice':
    'Your chats are safe. Choose “The faster” or “Processor” under Backstage, Computed by; or reload the page, and if it happens again, restart the browser.',
  'device-lost.title': 'The graphics card was taken away',
  'device-lost.advice': 'What was said so far is kept. Ask again, or reload the page.',
  'out-of-memory.title': 'There is too little memory left',
  'out-of-memory.advice':
    'Your chats are safe. Close other tabs, and games that use the graphics card, then try again; or choose a smaller model in Backstage.',
  'shader-invalid.title': 'This browser does not accept our programs for the graphics card',
  'shader-invalid.advice':
    'Your chats are safe. Update the browser; if that does not help, copy the details and send them to us.',
  'shape-mismatch.title': 'A calculation did not fit together',
  'shape-mismatch.advice': 'This is our mistake. Your chats are safe. Copy the details and send them to us.',
  'format-invalid.title': 'The file is not what it says it is',
  'format-invalid.advice': 'Nothing of it was used. Try another copy of the file.',
  'format-unsupported.title': 'The file is of a kind that is not read here',
  'format-unsupported.advice': 'Nothing of it was used.',
  'model-incompatible.title': 'The characters and the model do not fit together',
  'model-incompatible.advice': 'Nothing was changed. The characters rehearsed on another model.',
  'template-refused.title': 'The model does not take a chat of this form',
  'template-refused.advice':
    'Your chat is safe. The model has its own rules for the order of turns; begin a new chat, or choose another model in Backstage.',
  'not-a-number.title': 'The model computes no numbers',
  'not-a-number.advice':
    'What was said so far is kept. Choose “Processor” under Backstage, Computed by; if that does not help, the model’s file is damaged or was converted badly: take another.',
  'wrong-answers.title': 'The graphics card computes wrongly',
  'wrong-answers.advice':
    'Update its driver and the browser, then reload the page; until then choose “Processor” under Backstage, Computed by. The diagnostics say which card it is: please send them.',
  'download-failed.title': 'The download stopped',
  'download-failed.advice':
    'What came is kept, and the download goes on from there. Check the connection and try again; back on line, it tries by itself.',
  'download-mismatch.title': 'The server sends another file than it should',
  'download-mismatch.advice':
    'Nothing of that file was used. Reload the page: the site may have been renewed. If it happens again, the files of this site are damaged; copy the details and send them to whoever runs it.',
  'download-refused.title': 'The server does not give this out',
  'download-refused.advice': 'Nothing was changed. The details say why, and what to do.',
  'training-diverged.title': 'The rehearsal went astray',
  'training-diverged.advice': 'The last good state is kept. Begin again with a smaller learning rate.',
  'storage-full.title': 'There is no room left to keep this',
  'storage-full.advice':
    'What is on the screen is still here. Save the chat to a file, then free some space in the browser.',
  'storage-corrupt.title': 'The browser does not let this page keep anything',
  'storage-corrupt.advice': 'Chats last until the page closes. Save the ones you want to a file.',
  'usage.title': 'That cannot be done here',
  'usage.advice': 'Nothing was changed.',
  'cancelled.title': 'Stopped',
  'cancelled.advice': 'What was said so far is kept.',
} as const
