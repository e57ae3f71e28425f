/** Hands a text to the visitor as a file. */
export function saveFile(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/jsonl' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name.replaceAll(/[/\\:*?"<>|]/g, '_')
  link.click()
  // The browser has taken the file by the next turn of the event loop.
  setTimeout(() => URL.revokeObjectURL(address), 0)
}
