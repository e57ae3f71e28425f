// How a file gets to the visitor. No state.
/** Hands a text, or a file that lies here, to the visitor as a file. */
export function saveFile(name: string, content: string | Blob): void {
  const file = typeof content === 'string' ? new Blob([content], { type: 'application/jsonl' }) : content
  const address = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = address
  link.download = name.replaceAll(/[/\\:*?"<>|]/g, '_')
  link.click()
  // The browser has taken the file by the next turn of the event loop.
  setTimeout(() => URL.revokeObjectURL(address), 0)
}
