/** Takes the visitor, and the focus with them, to one of the three steps. */
export function goToStep(step: 1 | 2 | 3): void {
  const heading = document.querySelector<HTMLElement>(`[data-step="${step}"]`)
  heading?.scrollIntoView({ block: 'start' })
  heading?.focus({ preventScroll: true })
}
