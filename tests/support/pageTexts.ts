import { parseSync } from 'vite'

/** A node of a syntax tree, as far as it is looked at here. */
interface Node {
  readonly type: string
  readonly [field: string]: unknown
}

/** Attributes and properties whose words are shown or read out, whatever they look like. */
const SHOWN = new Set(['label', 'title', 'placeholder', 'alt', 'about', 'question', 'summary', 'shown'])
/** Attributes and properties whose words are for programs. */
const UNSEEN =
  /^(?:class|id$|type$|role$|href$|rel$|key$|look$|name$|font$|tone$|d$|aria-(?:live|hidden|haspopup))/
/** Calls whose words are for programs or for whoever mends the page. */
const UNSEEN_CALLS =
  /\b(?:matchMedia|querySelector|closest|createPolicy|startsWith|endsWith|includes|split|replaceAll|join)$/

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function children(node: Node): { readonly field: string; readonly child: Node }[] {
  return Object.entries(node).flatMap(([field, value]) =>
    (Array.isArray(value) ? value : [value]).filter(isNode).map((child) => ({ field, child })),
  )
}

/** Whether a string reads like something that is said: words apart, a capital with a small letter, or its dots. */
function readsLikeText(text: string): boolean {
  return /\p{L}.*\s|\s.*\p{L}|^\p{Lu}\p{Ll}|\p{L}[…?]$/u.test(text)
}

/** The name of an attribute, a property or a called function; empty for all else. */
function nameOf(node: unknown): string {
  if (!isNode(node)) return ''
  if (node.type === 'MemberExpression') return nameOf(node['property'])
  const name = node['name'] ?? node['value']
  return typeof name === 'string' ? name : nameOf(name)
}

interface Place {
  readonly isShown: boolean
  /** Whether what stands there is for programs. */
  readonly isMute: boolean
  /** The functions around it. */
  readonly depth: number
}

interface Found {
  readonly texts: string[]
  /** All strings, said or not. */
  readonly strings: string[]
  /** Names of called functions with the strings and patterns in their first argument. */
  readonly calls: { readonly name: string; readonly keys: readonly RegExp[]; readonly depth: number }[]
}

/** The texts that stand in a file of code, and what it calls with strings. */
export function textsIn(path: string, code: string): Found {
  const found: Found = { texts: [], strings: [], calls: [] }
  const visit = (node: Node, place: Place): void => {
    if (isSilent(node)) return
    const text = textOf(node)
    if (text !== null) found.strings.push(text)
    const isSaid = text !== null && /\p{L}/u.test(text) && (place.isShown || readsLikeText(text))
    if (isSaid && !place.isMute) found.texts.push(text)
    if (node.type === 'CallExpression') noteCall(node, place, found)
    const isFunction = /Function/.test(node.type)
    for (const { field, child } of children(node)) {
      visit(child, {
        isShown: isShownIn(node, field, place),
        isMute: (place.isMute && !isFunction) || !isHeard(node, field),
        depth: place.depth + (isFunction ? 1 : 0),
      })
    }
  }
  // Types hold no texts, but the parser gives their nodes, which `isSilent` leaves out.
  for (const { child } of children(parseSync(path, code).program as unknown as Node)) {
    visit(child, { isShown: false, isMute: false, depth: 0 })
  }
  return found
}

function isSilent({ type }: Node): boolean {
  if (/^TS(?!As|Satisfies|NonNull)/.test(type)) return true
  return /^(?:Import|ExportAll)/.test(type)
}

/** What a node says by itself; null where it is no text. */
function textOf(node: Node): string | null {
  if (node.type === 'Literal' || node.type === 'JSXText') {
    const { value } = node
    if (typeof value !== 'string') return null
    return node.type === 'JSXText' ? value.trim() && `${value} ` : value
  }
  if (node.type !== 'TemplateLiteral') return null
  return quasisOf(node).join('')
}

function quasisOf(template: Node): string[] {
  return children(template).flatMap(({ child }) => {
    if (child.type !== 'TemplateElement') return []
    const { cooked } = child['value'] as { readonly cooked: string }
    return cooked === '' ? [] : [cooked]
  })
}

/** Whether a field of a node can hold what is said. */
function isHeard(node: Node, field: string): boolean {
  const name = nameOf(node['name'] ?? node['key'] ?? node['callee'])
  if (node.type === 'JSXAttribute') return field === 'value' && (!UNSEEN.test(name) || SHOWN.has(name))
  if (node.type === 'Property') return field === 'value'
  if (node.type === 'SwitchCase') return field === 'consequent'
  if (node.type === 'BinaryExpression') return node['operator'] === '+'
  if (node.type === 'CallExpression') return field !== 'arguments' || !UNSEEN_CALLS.test(name)
  return true
}

/** What is shown as it is: texts between tags, and what becomes of attributes that are shown. */
function isShownIn(node: Node, field: string, { isShown }: Place): boolean {
  if (node.type === 'JSXAttribute')
    return (
      SHOWN.has(nameOf(node['name'])) || /^aria-(?:label|valuetext|description)$/.test(nameOf(node['name']))
    )
  if (node.type === 'ConditionalExpression' || node.type === 'LogicalExpression')
    return isShown && field !== 'test'
  return isShown && node.type === 'JSXExpressionContainer'
}

function noteCall(node: Node, { depth }: Place, { calls }: Found): void {
  const [first] = Array.isArray(node['arguments']) ? node['arguments'] : []
  if (!isNode(first)) return
  const keys = keysIn(first)
  if (keys.length > 0) calls.push({ name: nameOf(node['callee']), keys, depth })
}

/** The keys that an argument can be; a pattern where a part of it is computed. */
function keysIn(node: Node): RegExp[] {
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? [exactly([node['value']])] : []
  if (node.type === 'TemplateLiteral') {
    const elements = children(node).filter(({ child }) => child.type === 'TemplateElement')
    return [exactly(elements.map(({ child }) => (child['value'] as { readonly cooked: string }).cooked))]
  }
  if (node.type === 'ConditionalExpression') {
    return children(node).flatMap(({ field, child }) => (field === 'test' ? [] : keysIn(child)))
  }
  return []
}

function exactly(parts: readonly string[]): RegExp {
  return new RegExp(
    `^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\-]/g, String.raw`\$&`)).join('.+')}$`,
  )
}
