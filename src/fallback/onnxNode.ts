import type { OnnxAttribute, OnnxNode } from '../formats/onnx.ts'

/** A node named after its first output. */
export function nodeOf(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): OnnxNode {
  return {
    name: outputs[0] ?? '',
    opType,
    domain: '',
    inputs,
    outputs,
    attributes: new Map(Object.entries(attributes)),
    metadata: new Map(),
  }
}
