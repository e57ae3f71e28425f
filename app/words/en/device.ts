export const words = {
  'insecure.title': 'This address is not secure',
  'insecure.what': 'Browsers let a page compute only over https, or from this computer itself (localhost).',
  'insecure.works': 'You can still read, edit, bring in and save chats.',
  'insecure.next': 'Open the same page with https:// in front, or on the computer that serves it.',
  'recovering.title': 'The graphics card was lost for a moment',
  'recovering.what': 'It happens when the driver restarts. The model is being put back.',
  'recovering.works': 'Your chats are safe, and the answer goes on by itself.',
  'needs-reload.title': 'The graphics card was lost again',
  'needs-reload.what': 'It went away twice in a short time, and the browser no longer gives it to this page.',
  'needs-reload.works': 'Your chats are safe. You can still read, edit, bring in and save chats.',
  'needs-reload.next':
    'Reload the page. If it keeps happening, close other programs that use the graphics card.',
  'no-webgpu.what': 'This browser has no WebGPU, through which a page reaches the graphics card.',
  'no-webgpu.next':
    'Chrome and Edge have it on Windows, macOS and, from version 121 on, Android 12; on Linux from 144 on, on newer Intel graphics. Firefox has it on Windows from version 141 on, Safari from 26 on.',
  'no-adapter.what': 'The browser offers no graphics card to this page.',
  'no-adapter.next':
    'It is switched off, or its driver is on the list of unreliable ones. Switch on “Use graphics acceleration when available” in the browser’s system settings if this computer has a graphics card, update its driver, and start the browser again. chrome://gpu says more.',
  'no-device.what': 'The browser found a graphics card but could not open it for this page.',
  'no-device.next': 'Close other tabs and programs that use it heavily, then reload the page.',
  'faster.what':
    'There is no graphics card for this page. Both ways of doing without were tried, and this is the faster.',
  'faster.next':
    'Switch on “Use graphics acceleration when available” in the browser’s system settings if this computer has a graphics card, update its driver, and start the browser again.',
  'lost.what': 'The graphics card went away, and the browser no longer gives it to this page.',
  'lost.next': 'Reload the page to have it back. If it keeps happening, close other programs that use it.',
  'failed.what': 'The graphics card could not take the model.',
  'failed.next': 'Close other tabs and games that use the graphics card, then reload the page.',
  'wrong.what':
    'The graphics card, or its driver, computes wrongly: what it made of small known cases was not what it had to be.',
  'wrong.next':
    'Update the driver and the browser, then reload the page. Please send us the diagnostics, so that we learn of the card.',
  'unknown-graph.what': 'This model is built in a way that our programs for the graphics card do not know.',
  'otherCard.windows':
    'Of two graphics cards Windows chooses: Settings, System, Display, Graphics has a line for the browser, where “High performance” is the faster one.',
  'otherCard.linux':
    'Of two graphics cards the browser gets the one that it is started on: most desktops have “Launch using dedicated graphics card” in the menu of its icon.',
  slow: 'The processor answers',
  'slow.rate': 'The processor answers, at about {rate} tokens a second',
  'slow.works': 'Chats are as ever, only slower; nobody can learn new lines.',
  'slow.software': 'There is no graphics card for this page: the browser lets the processor play one.',
  'slow.patience': 'Everything works, with patience.',
} as const
