import { MICROSOFT } from './tinyGraph.ts'
import type { TinyGraph } from './tinyGraph.ts'

/** Adds the activation of a layer's gate in the options' form; gives the name of its output. */
export function addActivation(graph: TinyGraph, layer: string, gate: string): string {
  const output = `${layer}.active`
  switch (graph.options.activation) {
    case 'sigmoid':
      return graph.node('Mul', [gate, graph.node('Sigmoid', [gate], `${layer}.sigmoid`)], output)
    case 'quickGelu':
      return graph.node('QuickGelu', [gate], output, { alpha: { float: 1 } }, MICROSOFT)
    case 'gelu':
      return graph.node('Gelu', [gate], output, { approximate: { text: 'tanh' } })
    case 'fastGelu':
      return graph.node('FastGelu', [gate], output, {}, MICROSOFT)
    case 'geluOfProducts':
      return ofProducts(graph, gate, output)
    case 'geluOfPowers':
      return ofPowers(graph, gate, output)
  }
}

function constants(graph: TinyGraph, gate: string) {
  const number = (name: string, value: number): string => graph.floats(`${gate}.${name}`, [], [value])
  return {
    cubic: number('cubic', 0.044715),
    slope: number('slope', Math.sqrt(2 / Math.PI)),
    one: number('one', 1),
    half: number('half', 0.5),
  }
}

/** As TorchScript's exporter writes it: ½·(x·(1 + tanh(slope·(x + cubic·(x·(x·x)))))). */
function ofProducts(graph: TinyGraph, gate: string, output: string): string {
  const { cubic, slope, one, half } = constants(graph, gate)
  const square = graph.node('Mul', [gate, gate], `${gate}.square`)
  const cube = graph.node('Mul', [gate, square], `${gate}.cube`)
  const sum = graph.node('Add', [gate, graph.node('Mul', [cubic, cube], `${gate}.bent`)], `${gate}.sum`)
  const tanh = graph.node('Tanh', [graph.node('Mul', [slope, sum], `${gate}.steep`)], `${gate}.tanh`)
  const raised = graph.node('Add', [one, tanh], `${gate}.raised`)
  return graph.node('Mul', [half, graph.node('Mul', [gate, raised], `${gate}.twice`)], output)
}

/** As PyTorch's newer exporter writes it: (½·x)·(tanh(slope·(x + cubic·x³)) + 1). */
function ofPowers(graph: TinyGraph, gate: string, output: string): string {
  const { cubic, slope, one, half } = constants(graph, gate)
  const cube = graph.node('Pow', [gate, graph.floats(`${gate}.three`, [], [3])], `${gate}.cube`)
  const sum = graph.node('Add', [gate, graph.node('Mul', [cube, cubic], `${gate}.bent`)], `${gate}.sum`)
  const tanh = graph.node('Tanh', [graph.node('Mul', [sum, slope], `${gate}.steep`)], `${gate}.tanh`)
  const raised = graph.node('Add', [tanh, one], `${gate}.raised`)
  return graph.node('Mul', [graph.node('Mul', [gate, half], `${gate}.half.of`), raised], output)
}
