/** Puts the focus where the visitor writes, so that it is not lost with a button that goes away. */
export function focusComposer(): void {
  // On touch the keyboard would rise over what was just said.
  if (!matchMedia('(pointer: fine)').matches) return
  document.querySelector<HTMLTextAreaElement>('[data-composer]')?.focus()
}
