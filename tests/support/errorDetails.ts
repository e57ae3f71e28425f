import { parseSync } from 'vite'

/** A node of a syntax tree, as far as it is looked at here. */
interface Node {
  readonly type: string
  readonly [field: string]: unknown
}

/** What is thrown somewhere: its code, where that stands there, and its detail, with `{0}`, `{1}` … for its values. */
export interface ThrownDetail {
  readonly path: string
  readonly code: string
  readonly detail: string
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function nodes(value: unknown): Node[] {
  return (Array.isArray(value) ? value : [value]).filter(isNode)
}

function children(node: Node): Node[] {
  return Object.values(node).flatMap(nodes)
}

/** A text in pieces, of which values stand between. */
type Pieces = readonly string[]

/** The last piece of one text and the first of the next become one. */
function joined(first: Pieces, second: Pieces): Pieces {
  return [...first.slice(0, -1), (first.at(-1) ?? '') + (second[0] ?? ''), ...second.slice(1)]
}

/** The texts that an expression may be; none where it is put together elsewhere. */
function piecesOf(node: Node | undefined): Pieces[] {
  if (!node) return []
  switch (node.type) {
    case 'Literal':
      return typeof node['value'] === 'string' ? [[node['value']]] : []
    case 'TemplateLiteral':
      return [nodes(node['quasis']).map(cookedText)]
    case 'ConditionalExpression':
      return [...piecesOf(nodes(node['consequent'])[0]), ...piecesOf(nodes(node['alternate'])[0])]
    case 'BinaryExpression':
      return piecesOf(nodes(node['left'])[0]).flatMap((left) =>
        piecesOf(nodes(node['right'])[0]).map((right) => joined(left, right)),
      )
    case 'ArrowFunctionExpression':
      return nodes(node['body']).flatMap((body) =>
        body.type === 'BlockStatement' ? returned(body) : piecesOf(body),
      )
    default:
      return []
  }
}

/** A piece of a template; empty where its escapes are a raw string's. */
function cookedText({ value }: Node): string {
  return (value as { readonly cooked: string | null }).cooked ?? ''
}

function returned(node: Node): Pieces[] {
  if (node.type === 'ReturnStatement') return piecesOf(nodes(node['argument'])[0])
  return children(node).flatMap(returned)
}

function numbered(pieces: Pieces): string {
  return pieces.reduce((text, piece, index) => `${text}{${index - 1}}${piece}`)
}

/** The details of the errors that a file of code throws, by `new HycoraError` and `check`. */
export function detailsIn(path: string, code: string): ThrownDetail[] {
  const found: ThrownDetail[] = []
  const visit = (node: Node): void => {
    const [callee] = nodes(node['callee'])
    const given = nodes(node['arguments'])
    const name = callee?.['name']
    const isThrown = node.type === 'NewExpression' && name === 'HycoraError'
    const isChecked = node.type === 'CallExpression' && name === 'check'
    if (isThrown || isChecked) {
      const [about, detail] = isThrown ? given : given.slice(1)
      const own = typeof about?.['value'] === 'string' ? about['value'] : ''
      found.push(...piecesOf(detail).map((pieces) => ({ path, code: own, detail: numbered(pieces) })))
    }
    children(node).forEach(visit)
  }
  nodes(parseSync(path, code).program).forEach(visit)
  return found
}

/** All texts of a file of code, as details are written. */
export function allTextsIn(path: string, code: string): string[] {
  const found: string[] = []
  const visit = (node: Node): void => {
    const whole = piecesOf(node)
    found.push(...whole.map(numbered))
    // Texts that are joined are no texts by themselves.
    if (node.type !== 'BinaryExpression' || whole.length === 0) children(node).forEach(visit)
  }
  nodes(parseSync(path, code).program).forEach(visit)
  return found
}
