/** A string of one line, in which `\n` is a line break, `\t` a tab and `\\` a backslash; another backslash is one. */
export function unescapeLine(line: string): string {
  return line.replaceAll(/\\([nt\\])/g, (_, letter: string) =>
    letter === 'n' ? '\n' : letter === 't' ? '\t' : '\\',
  )
}

/** A string as one line, from which `unescapeLine` has it back. */
export function escapeLine(text: string): string {
  return text
    .replaceAll('\r', '')
    .replaceAll(/\\(?=[nt\\]|\n|\t|$)/g, '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
}
