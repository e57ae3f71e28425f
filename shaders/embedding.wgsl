// Token embedding, forward.
//   y[r, c] = factor·table[token[r] − first, c],  first ≤ token[r] < first + count; other rows stay as they are
// One workgroup per row; each invocation strides over the row's 32-bit words and unpacks them.
// Reference: tests/reference/embedding.ts. Wrapper: src/kernels/embedding.ts

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 2: bf16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
override ZEROS: u32 = 0u; // of blocks: 0: bytes, 1: f32, 2: none, and codes name one of 16 levels, f32, in their place
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  columns: u32,
  row_words: u32,
  block_size: u32,
  row_blocks: u32,
  y_stride: u32,
  factor: f32,
  first: u32, // token of the table's first row
  count: u32, // of its rows
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> tokens: array<u32>; // [rows]
@group(0) @binding(2) var<storage, read> weights: array<u32>; // [vocabulary, row_words]
@group(0) @binding(3) var<storage, read> scales: array<u32>; // [vocabulary, row_blocks]
@group(0) @binding(4) var<storage, read> zeros: array<u32>; // [vocabulary, row_blocks], or [16] levels
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [rows, y_stride]

fn block_scale(block: u32) -> f32 {
  if (HALF_SCALES) {
    return unpack2x16float(scales[block / 2u])[block % 2u];
  }
  return bitcast<f32>(scales[block]);
}

fn block_zero(block: u32) -> f32 {
  if (ZEROS == 1u) {
    return bitcast<f32>(zeros[block]);
  }
  if (ZEROS == 2u) {
    return 0.0;
  }
  return f32(extractBits(zeros[block / 4u], 8u * (block % 4u), 8u));
}

// A code as a number, or the level that it names.
fn code_value(code: u32) -> f32 {
  if (ZEROS == 2u) {
    return bitcast<f32>(zeros[code]);
  }
  return f32(code);
}

// The two floats of a word, halves or the upper halves of f32.
fn two_halves(word: u32) -> vec2f {
  if (FORMAT == 2u) {
    return vec2f(bitcast<f32>(word << 16u), bitcast<f32>(word & 0xffff0000u));
  }
  return unpack2x16float(word);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn embedding(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.x + workgroup.y * grid.x;
  if (tokens[row] < uniforms.first || tokens[row] - uniforms.first >= uniforms.count) {
    return;
  }
  let token = tokens[row] - uniforms.first;
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    var value: f32;
    if (FORMAT == 0u) {
      value = bitcast<f32>(weights[token * uniforms.row_words + c]);
    } else if (FORMAT == 1u || FORMAT == 2u) {
      value = two_halves(weights[token * uniforms.row_words + c / 2u])[c % 2u];
    } else {
      let word = weights[token * uniforms.row_words + FORMAT * c / 32u];
      let code = extractBits(word, FORMAT * c % 32u, FORMAT);
      let block = token * uniforms.row_blocks + c / uniforms.block_size;
      value = (code_value(code) - block_zero(block)) * block_scale(block);
    }
    y[row * uniforms.y_stride + c] = uniforms.factor * value;
  }
}
