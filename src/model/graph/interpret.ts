import { check, HycoraError } from '../../core/errors.ts'
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxValue } from '../../formats/onnx.ts'
import type { OnnxTensor } from '../../formats/onnxTensor.ts'
import { groupQueryAttention, multiHeadAttention, standardAttention } from './attentionNodes.ts'
import {
  attentionProduct,
  chosen,
  concatenated,
  masked,
  nanTest,
  scaledBy,
  softmax,
} from './attentionRules.ts'
import { shorterTables } from './branchRules.ts'
import type { Entry } from './dimension.ts'
import { fixed, reshape, symbolic } from './dimension.ts'
import { fusedGelu, geluPower, geluProduct, geluSum, geluTanh } from './geluRules.ts'
import { gating, sigmoid, silu } from './gatingRules.ts'
import { chosenRows, lastRow, repeated, reshaped, transposedLayout, withRepeatAxis } from './layoutRules.ts'
import { biasAddition, embeddedTokens, linearLayer, splitFeatures } from './linearRules.ts'
import { numbersOf, operatorOf } from './node.ts'
import { asColumn, joinedPairs, oneOfPairs, reshapedPairs } from './pairRules.ts'
import {
  dequantisedRows,
  dynamicLinear,
  gatheredCodes,
  integerLinear,
  integerProduct,
  roundedRows,
  scaledProduct,
} from './quantisedRules.ts'
import { decomposedNorm, fusedNorm, residualAddition, scaledOf, skipNorm } from './normRules.ts'
import {
  headSlices,
  negatedHalf,
  rotaryDifference,
  rotaryEmbedding,
  rotaryProduct,
  rotarySum,
  standardRotary,
} from './rotaryRules.ts'
import { applySideRules, isFloatCast, shapeOf } from './sideRules.ts'
import type { HiddenValue, Residual, UnplacedValue, Value } from './values.ts'
import { EXPECTED_AFTER } from './expectedAfter.ts'
import { OPAQUE } from './sideValues.ts'

interface Head {
  readonly stream: Residual
  /** The head itself is a linear layer on the final norm. */
  readonly output: Extract<HiddenValue['meaning'], { kind: 'linear' }>
  /** What its output is multiplied with. */
  readonly factor: number
}

type Inputs = readonly (Value | undefined)[]
type Rule = (node: OnnxNode, inputs: Inputs, opset: number) => Value | readonly Value[] | undefined

const onHidden =
  (rule: (node: OnnxNode, x: HiddenValue, inputs: Inputs, opset: number) => Value | undefined): Rule =>
  (node, inputs, opset) =>
    inputs[0]?.kind === 'hidden' ? rule(node, inputs[0], inputs, opset) : undefined

const gatherRule: Rule = (node, inputs) =>
  embeddedTokens(node, inputs) ??
  gatheredCodes(node, inputs) ??
  lastRow(node, inputs) ??
  oneOfPairs(node, inputs)
const linearRule: Rule = (node, inputs) => linearLayer(node, inputs)
const stepRule: Rule = (node, inputs) => decomposedNorm(node, inputs)
const fusedNormRule: Rule = (node, inputs) => fusedNorm(node, inputs)
const skipNormRule: Rule = (node, inputs) => skipNorm(node, inputs)
const geluRule: Rule = (node, inputs) => fusedGelu(node, inputs)
const siluRule = onHidden((node, x) => silu(node, x))

/** What each operator may do with hidden data; a rule that does not fit gives undefined. */
const RULES: Readonly<Record<string, Rule>> = {
  Gather: gatherRule,
  'com.microsoft.GatherBlockQuantized': gatherRule,
  MatMul: (node, inputs) => linearLayer(node, inputs) ?? attentionProduct(inputs[0], inputs[1]),
  Gemm: linearRule,
  'com.microsoft.MatMulNBits': linearRule,
  'com.microsoft.MatMulBnb4': linearRule,
  'com.microsoft.DynamicQuantizeMatMul': (node, inputs) => dynamicLinear(node, inputs),
  'com.microsoft.MatMulIntegerToFloat': (node, inputs) => integerLinear(node, inputs),
  DynamicQuantizeLinear: (_, inputs) => roundedRows(inputs[0]),
  DequantizeLinear: (node, inputs) => dequantisedRows(node, inputs),
  MatMulInteger: (_, inputs) => integerProduct(inputs),
  Add: (node, inputs) =>
    biasAddition(inputs[0], inputs[1]) ??
    residualAddition(inputs[0], inputs[1]) ??
    rotarySum(inputs[0], inputs[1]) ??
    masked(inputs[0], inputs[1]) ??
    decomposedNorm(node, inputs) ??
    geluSum(inputs[0], inputs[1]),
  Mul: (node, inputs) =>
    scaledProduct(node, inputs) ??
    decomposedNorm(node, inputs) ??
    rotaryProduct(inputs[0], inputs[1]) ??
    gating(inputs[0], inputs[1]) ??
    scaledBy(node, inputs) ??
    geluProduct(inputs[0], inputs[1]),
  Sub: (_, inputs) => rotaryDifference(inputs[0], inputs[1]),
  Div: (node, inputs) => decomposedNorm(node, inputs) ?? scaledBy(node, inputs),
  Pow: (node, inputs) => decomposedNorm(node, inputs) ?? geluPower(inputs[0], inputs[1]),
  Tanh: onHidden((_, x) => geluTanh(x)),
  Gelu: geluRule,
  'com.microsoft.FastGelu': geluRule,
  ReduceMean: stepRule,
  Sqrt: stepRule,
  Reciprocal: stepRule,
  SimplifiedLayerNormalization: fusedNormRule,
  'com.microsoft.SimplifiedLayerNormalization': fusedNormRule,
  RMSNormalization: fusedNormRule,
  SkipSimplifiedLayerNormalization: skipNormRule,
  'com.microsoft.SkipSimplifiedLayerNormalization': skipNormRule,
  Sigmoid: onHidden((_, x) => sigmoid(x)),
  'com.microsoft.QuickGelu': siluRule,
  'com.microsoft.Silu': siluRule,
  Swish: siluRule,
  Split: (node, inputs) => splitFeatures(node, inputs) ?? headSlices(node, inputs),
  Slice: (node, inputs) => splitFeatures(node, inputs) ?? headSlices(node, inputs) ?? chosenRows(inputs),
  Neg: onHidden((_, x) => negatedHalf(x)),
  Concat: (node, inputs) => joinedPairs(node, inputs) ?? concatenated(node, inputs),
  Transpose: onHidden((node, x) => transposedLayout(node, x)),
  Reshape: onHidden((node, x, inputs) => reshapedPairs(x, inputs[1]) ?? reshaped(node, x, inputs[1])),
  Unsqueeze: onHidden(
    (node, x, inputs) => asColumn(node, x, inputs[1]) ?? withRepeatAxis(node, x, inputs[1]),
  ),
  Expand: onHidden((_, x, inputs) => repeated(x, inputs[1])),
  Cast: (node, [x]) =>
    (x?.kind === 'hidden' || x?.kind === 'integerProduct') && isFloatCast(node) ? x : undefined,
  Identity: (_, inputs) => inputs[0],
  Softmax: onHidden((node, x, _, opset) => softmax(node, x, opset)),
  IsNaN: onHidden((_, x) => nanTest(x)),
  Where: (_, inputs) => chosen(inputs[0], inputs[1], inputs[2]),
  RotaryEmbedding: (node, inputs) => standardRotary(node, inputs),
  Attention: (node, inputs) => standardAttention(node, inputs),
  'com.microsoft.RotaryEmbedding': (node, inputs) => rotaryEmbedding(node, inputs),
  'com.microsoft.GroupQueryAttention': (node, inputs) => groupQueryAttention(node, inputs),
  'com.microsoft.MultiHeadAttention': (node, inputs) => multiHeadAttention(node, inputs),
}

/**
 * Follows the token embeddings through the graph, node by node, and gives the linear layer that makes the logits:
 * everything that it depends on is accounted for.
 *
 * @param model with the small constants of other files brought in.
 * @throws HycoraError `format-unsupported` naming the first node on the way to the logits that has no place in a
 * decoder of a known family; `format-invalid` for a graph that is none.
 */
export function followHiddenData(model: OnnxModel): Head {
  const { graph, fileName } = model
  const values = startValues(graph)
  const opset = model.opsets.get('') ?? 0
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => {
      if (name === '') return undefined
      const value = values.get(name)
      check(
        value,
        'format-invalid',
        () => `${fileName} uses ${name} in ${describe(node)} before any node gives it`,
      )
      return value
    })
    const outputs = applyNode(node, inputs, opset)
    node.outputs.forEach((name, at) => {
      if (name === '') return
      check(
        !values.has(name),
        'format-invalid',
        () => `${fileName} gives ${name} twice, again in ${describe(node)}`,
      )
      values.set(name, outputs[at] ?? unplaced(node, 'gives an output that no decoder uses'))
    })
  }
  return headOf(model, values)
}

function startValues(graph: OnnxGraph): Map<string, Value> {
  const values = new Map<string, Value>(
    [...graph.initializers].map(([name, tensor]) => [name, constantOf(tensor)]),
  )
  for (const input of graph.inputs) {
    // Before IR 4 every initializer is listed as an input too.
    if (!values.has(input.name)) values.set(input.name, inputValue(input))
  }
  return values
}

function constantOf(tensor: OnnxTensor): Value {
  return { kind: 'constant', tensor, dims: tensor.dims, isTransposed: false }
}

/** The graph's inputs have the same names and axes in all exporters. */
function inputValue({ name, dims }: OnnxValue): Value {
  // Some exports are for one text at a time.
  const batch = dims?.[0] === 1 ? fixed(1) : symbolic('batch')
  const [tokens, total] = [symbolic('tokens'), symbolic('total')]
  if (name === 'input_ids') return { kind: 'ids', dims: [batch, tokens] }
  if (name === 'position_ids')
    return { kind: 'side', role: { kind: 'position', shift: 0 }, dims: [batch, tokens] }
  if (name === 'attention_mask') return { ...OPAQUE, dims: [batch, total] }
  if (dims?.length !== 4) return OPAQUE
  const sizes = dims.map((dim): Entry => (typeof dim === 'number' ? fixed(dim) : null))
  return { kind: 'past', dims: [batch, sizes[1] ?? null, symbolic('past'), sizes[3] ?? null] }
}

function applyNode(node: OnnxNode, inputs: Inputs, opset: number): readonly Value[] {
  const fault = inputs.find((input) => input?.kind === 'unplaced')
  if (fault) return node.outputs.map(() => fault)
  if ([...node.attributes.values()].some((attribute) => attribute.kind === 'graph')) {
    const tables = shorterTables(node, inputs)
    return tables ?? node.outputs.map(() => unplaced(node, 'holds a graph of its own, expected a flat graph'))
  }
  const operator = operatorOf(node)
  if (operator === 'Shape') return [shapeOf(node, inputs[0]) ?? OPAQUE]
  if (operator !== 'Gather' && inputs[0]?.kind === 'ids') return [idsAgain(node, inputs)]
  if (inputs.every(isSide)) return applySideRules(node, inputs)
  const rule = Object.hasOwn(RULES, operator) ? RULES[operator] : undefined
  const result = rule?.(node, inputs, opset)
  if (result) return 'kind' in result ? [result] : result
  return node.outputs.map(() => unplaced(node, `stands where a decoder has ${expectedFor(inputs)}`))
}

const SIDE_KINDS: readonly Value['kind'][] = ['constant', 'quantised', 'raised', 'numbers', 'side']

function isSide(input: Value | undefined): boolean {
  return input === undefined || SIDE_KINDS.includes(input.kind)
}

/** Token ids keep being token ids through a cast or a reshape; anything else made of them is a mask. */
function idsAgain(node: OnnxNode, [ids, target]: Inputs): Value {
  if (ids?.kind !== 'ids') return OPAQUE
  if (node.opType === 'Cast' || node.opType === 'Identity') return ids
  const entries = node.opType === 'Reshape' ? numbersOf(target)?.entries : undefined
  const dims = entries && reshape(ids.dims, entries, { allowZero: false })
  return dims ? { kind: 'ids', dims } : OPAQUE
}

function expectedFor(inputs: Inputs): string {
  const hidden = inputs.find((input) => input?.kind === 'hidden')
  if (hidden?.kind === 'hidden') return EXPECTED_AFTER[hidden.meaning.kind]
  if (inputs.some((input) => input?.kind === 'past')) return 'the cache of its attention'
  return 'an embedding table of floats or codes'
}

function unplaced(node: OnnxNode, reason: string): UnplacedValue {
  return { kind: 'unplaced', node, reason }
}

function describe(node: OnnxNode): string {
  return `node "${node.name}" (${operatorOf(node)})`
}

function headOf(model: OnnxModel, values: ReadonlyMap<string, Value>): Head {
  const { graph, fileName } = model
  const output = graph.outputs.find(({ name }) => name === 'logits') ?? graph.outputs[0]
  const logits = output && values.get(output.name)
  if (logits?.kind === 'unplaced') {
    const { node, reason } = logits
    throw new HycoraError(
      'format-unsupported',
      `${fileName}: node "${node.name}" (${operatorOf(node)}) ${reason}`,
    )
  }
  const last = graph.nodes.find(({ outputs }) => output && outputs.includes(output.name))
  const where = last ? describe(last) : 'no node'
  const expected = (): string =>
    `${fileName}: ${where} gives the logits, expected a linear layer on a final RMS norm`
  const scaled = logits?.kind === 'hidden' ? scaledOf(logits.meaning) : undefined
  check(scaled && scaled.of.input.kind === 'normed', 'format-unsupported', expected)
  return { stream: scaled.of.input.of, output: scaled.of, factor: scaled.factor }
}
