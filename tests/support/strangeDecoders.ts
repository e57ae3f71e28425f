import { TINY } from './tinyGraph.ts'
import { append, insertAfter, prepend, withTensors } from './tinyBackbone.ts'
import { tinyDecoder } from './tinyDecoder.ts'
import type { WrittenModel, WrittenNode, WrittenValue } from './onnxWriter.ts'

const [F32, I32, I64, BOOL] = [1, 6, 7, 9]
const LAST = 2 ** 40

function integers(name: string, values: readonly number[], dims: readonly number[] = [values.length]) {
  return { name, dataType: I64, dims, bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) }
}

function withInputs(model: WrittenModel, ...inputs: WrittenValue[]): WrittenModel {
  return { ...model, inputs: [...model.inputs, ...inputs] }
}

/** The model with values called otherwise, wherever they stand. */
function renamed(model: WrittenModel, change: (name: string) => string): WrittenModel {
  return {
    ...model,
    nodes: model.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(change),
      outputs: node.outputs.map(change),
    })),
    inputs: model.inputs.map((value) => ({ ...value, name: change(value.name) })),
    outputs: model.outputs.map((value) => ({ ...value, name: change(value.name) })),
  }
}

/** The model with the input `name` of another form, from which `node` makes what it was. */
function reshaped(
  model: WrittenModel,
  name: string,
  form: Omit<WrittenValue, 'name'>,
  nodes: readonly WrittenNode[],
) {
  const inner = renamed(model, (value) => (value === name ? `${name}.inner` : value))
  const inputs = inner.inputs.map((value) => (value.name === `${name}.inner` ? { ...form, name } : value))
  return { ...inner, inputs, nodes: [...nodes, ...inner.nodes] }
}

function lastRowAlone(): WrittenModel {
  const model = insertAfter(tinyDecoder(), 'final_norm.y', (x) => ({
    opType: 'Slice',
    inputs: [x, 'from', 'to', 'rows'],
  }))
  const whole = withTensors(model, integers('from', [-1]), integers('to', [LAST]), integers('rows', [1]))
  const outputs = whole.outputs.map((value) =>
    value.name === 'logits' ? { ...value, dims: ['batch_size', 1, TINY.vocabulary] } : value,
  )
  return { ...whole, outputs }
}

function rowsWanted(name: string): WrittenModel {
  const model = insertAfter(tinyDecoder(), 'final_norm.y', (x) => ({
    opType: 'Slice',
    inputs: [x, 'from', 'to', 'rows'],
  }))
  const shaped = prepend(
    prepend(model, { opType: 'Unsqueeze', inputs: ['negative', 'zeroth'], outputs: ['from'] }),
    { opType: 'Neg', inputs: [name], outputs: ['negative'] },
  )
  const constants = [integers('to', [LAST]), integers('rows', [1]), integers('zeroth', [0])]
  return withInputs(withTensors(shaped, ...constants), { name, dataType: I64, dims: [] })
}

/** Two branches, one of which uses the cache, as merged decoders have them. */
function merged(): WrittenModel {
  const model = tinyDecoder()
  const branches = model.inputs
    .filter(({ name }) => name.startsWith('past_key_values'))
    .map(({ name, dims }): WrittenNode => {
      const output = { name: `${name}.chosen`, dataType: F32, dims }
      const branch = (nodes: readonly WrittenNode[]) => ({
        graph: { nodes, initializers: [], inputs: [], outputs: [output] },
      })
      const none = ['nothing', 'nothing', 'positions']
      return {
        opType: 'If',
        inputs: ['use_cache_branch'],
        outputs: [`${name}.used`],
        attributes: {
          then_branch: branch([{ opType: 'Identity', inputs: [name], outputs: [output.name] }]),
          else_branch: branch([{ opType: 'Slice', inputs: [name, ...none], outputs: [output.name] }]),
        },
      }
    })
  const nodes = model.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((input) => (input.startsWith('past_key_values') ? `${input}.used` : input)),
  }))
  const whole = withTensors(
    { ...model, nodes: [...branches, ...nodes] },
    integers('nothing', [0]),
    integers('positions', [2]),
  )
  return withInputs(whole, { name: 'use_cache_branch', dataType: BOOL, dims: [1] })
}

const written = (): WrittenModel => tinyDecoder({ attention: 'written' })

/** Decoders with the logits of the tiny one, each with an interface that some exporter gives them. */
export const STRANGE_DECODERS: Readonly<Record<string, () => WrittenModel>> = {
  'that gives the logits of the last token alone': lastRowAlone,
  'that asks how many rows are wanted': () => rowsWanted('num_logits_to_keep'),
  'that asks so by another name': () => rowsWanted('logits_to_keep'),
  'of two branches': merged,
  'that has float zero points': () => tinyDecoder({ linear: 'blocks4', zeros: 'floats' }),
  'that calls its cache otherwise': () =>
    renamed(tinyDecoder(), (name) => name.replace(/^past_key_values/, 'past').replace(/^present/, 'present')),
  'that calls its cache in and out': () =>
    renamed(tinyDecoder(), (name) =>
      name.replace(/^past_key_values/, 'cache_in').replace(/^present/, 'cache_out'),
    ),
  'that says nothing of the sizes of its cache': () => {
    const model = tinyDecoder()
    const dims = ['batch_size', 'kv_heads', 'past_sequence_length', 'kv_cache_dim']
    const inputs = model.inputs.map((value) => (value.name.startsWith('past') ? { ...value, dims } : value))
    return { ...model, inputs }
  },
  'that calls its logits otherwise': () =>
    renamed(tinyDecoder(), (name) => (name === 'logits' ? 'output' : name)),
  'that takes one token at a time': () => {
    const model = tinyDecoder()
    const inputs = model.inputs.map((value) =>
      value.name === 'input_ids' ? { ...value, dims: [1, 1] } : value,
    )
    return { ...model, inputs }
  },
  'that takes its tokens in 32 bits': () =>
    reshaped(tinyDecoder(), 'input_ids', { dataType: I32, dims: ['batch_size', 'sequence_length'] }, [
      {
        opType: 'Cast',
        inputs: ['input_ids'],
        outputs: ['input_ids.inner'],
        attributes: { to: { int: I64 } },
      },
    ]),
  'that calls positions otherwise': () =>
    renamed(written(), (name) => (name === 'position_ids' ? 'pos_ids' : name)),
  'that takes positions in one row': () =>
    reshaped(
      renamed(written(), (name) => (name === 'position_ids' ? 'cache_position' : name)),
      'cache_position',
      { dataType: I64, dims: ['sequence_length'] },
      [
        { opType: 'Shape', inputs: ['input_ids'], outputs: ['ids.shape'] },
        { opType: 'Reshape', inputs: ['cache_position', 'ids.shape'], outputs: ['cache_position.inner'] },
      ],
    ),
  'that takes positions in three directions': () =>
    withTensors(
      reshaped(written(), 'position_ids', { dataType: I64, dims: [3, 'batch_size', 'sequence_length'] }, [
        { opType: 'Gather', inputs: ['position_ids', 'second'], outputs: ['position_ids.inner'] },
      ]),
      integers('second', [1], []),
    ),
  'that takes its mask in floats': () =>
    reshaped(
      tinyDecoder(),
      'attention_mask',
      { dataType: F32, dims: ['batch_size', 'total_sequence_length'] },
      [
        {
          opType: 'Cast',
          inputs: ['attention_mask'],
          outputs: ['attention_mask.inner'],
          attributes: { to: { int: I64 } },
        },
      ],
    ),
  'that asks for lengths': () => {
    const lengths = ['past_seq_len', 'total_sequence_length'].map((name) => ({
      name,
      dataType: I32,
      dims: [1, 1],
    }))
    const model = withInputs(
      written(),
      ...lengths,
      { name: 'seqlens_k', dataType: I32, dims: ['batch_size'] },
      { name: 'token_type_ids', dataType: I64, dims: ['batch_size', 'sequence_length'] },
    )
    // Where one of them is wrong, the positions are.
    const nodes: readonly WrittenNode[] = [
      { opType: 'Add', inputs: ['past_seq_len', 'total_sequence_length'], outputs: ['both'] },
      { opType: 'Sub', inputs: ['both', 'past_seq_len'], outputs: ['all.tokens'] },
      { opType: 'Sub', inputs: ['all.tokens', 'seqlens_k'], outputs: ['one.left'] },
      { opType: 'Cast', inputs: ['one.left'], outputs: ['one.whole'], attributes: { to: { int: I64 } } },
      { opType: 'Sub', inputs: ['one.whole', 'one'], outputs: ['none.left'] },
      { opType: 'Add', inputs: ['position_ids', 'none.left'], outputs: ['position_ids.near'] },
      { opType: 'Add', inputs: ['position_ids.near', 'token_type_ids'], outputs: ['position_ids.inner'] },
    ]
    const { name: _, ...form } = model.inputs.find(({ name }) => name === 'position_ids')!
    return reshaped(model, 'position_ids', form, nodes)
  },
  'that masks which token sees which': () => {
    const model = written()
    const mask = {
      name: 'attention_mask',
      dataType: F32,
      dims: ['batch_size', 1, 'sequence_length', 'total'],
    }
    const nodes = model.nodes.map((node) =>
      node.outputs[0] === 'mask'
        ? { opType: 'Identity', inputs: ['attention_mask'], outputs: ['mask'] }
        : node,
    )
    return withInputs({ ...model, nodes }, mask)
  },
}

function stateOf(name: string): WrittenValue {
  return { name, dataType: F32, dims: ['batch_size', TINY.hidden, 1] }
}

/**
 * A decoder that remembers the embedding of one token in a state of one size: each token's is added to the next one's.
 */
export function convolutional(): WrittenModel {
  const model = tinyDecoder()
  const swap = { perm: { ints: [0, 2, 1] } }
  const nodes: readonly WrittenNode[] = [
    { opType: 'Transpose', inputs: ['past_conv.0'], outputs: ['before.turned'], attributes: swap },
    {
      opType: 'Concat',
      inputs: ['before.turned', 'embedded.before'],
      outputs: ['stretch'],
      attributes: { axis: { int: 1 } },
    },
    { opType: 'Slice', inputs: ['stretch', 'beginning', 'but.one', 'tokens'], outputs: ['shifted'] },
    { opType: 'Slice', inputs: ['stretch', 'but.one', 'ending', 'tokens'], outputs: ['newest'] },
    { opType: 'Transpose', inputs: ['newest'], outputs: ['present_conv.0'], attributes: swap },
  ]
  const inserted = insertAfter(model, 'embedded', (x) => ({ opType: 'Add', inputs: [x, 'shifted'] }))
  const whole = nodes.reduceRight((made, node) => append(made, 'embedded.before', node), inserted)
  return {
    ...withInputs(
      withTensors(
        whole,
        integers('beginning', [0]),
        integers('but.one', [-1]),
        integers('ending', [LAST]),
        integers('tokens', [1]),
      ),
      stateOf('past_conv.0'),
    ),
    outputs: [...whole.outputs, stateOf('present_conv.0')],
  }
}
