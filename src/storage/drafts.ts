/*
 * What was typed and not yet sent, by chat. In localStorage, whose writes are done before the page can close.
 */

const PREFIX = 'hycora-draft:'

/** The draft of a chat; empty where there is none or the browser keeps nothing. */
export function loadDraft(chat: string): string {
  try {
    return localStorage.getItem(PREFIX + chat) ?? ''
  } catch {
    return ''
  }
}

/** Keeps the draft of a chat; an empty one is forgotten. */
export function saveDraft(chat: string, text: string): void {
  try {
    if (text) localStorage.setItem(PREFIX + chat, text)
    else localStorage.removeItem(PREFIX + chat)
  } catch {
    // Without storage a draft lives as long as the page.
  }
}
