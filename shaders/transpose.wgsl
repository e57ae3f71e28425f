// Transposition of a stored weight matrix at load, into zero-padded rows.
//   y[first_out + n, k] = x[k, first_column + n]
// Workgroup (g, n): 64 words of one output row, a lane one word: one f32, or two f16 side by side.
// Reference: tests/gpu/kernels/transpose.test.ts. Wrapper: src/kernels/transpose.ts

override HALF: bool = false; // two f16 a word on both sides; else f32
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  in_features: u32,
  x_columns: u32,
  first_column: u32,
  out: u32,
  first_out: u32,
  row_words: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [in_features, x_columns]
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // [≥ first_out + out, row_words]

fn half_bits(k: u32, column: u32) -> u32 {
  if (k >= uniforms.in_features) {
    return 0u;
  }
  let index = k * uniforms.x_columns + column;
  return extractBits(x[index / 2u], 16u * (index % 2u), 16u);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn transpose(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let word = workgroup.x * WORKGROUP_SIZE + lane;
  let n = workgroup.y + workgroup.z * 32768u;
  if (word >= uniforms.row_words || n >= uniforms.out) {
    return;
  }
  let column = uniforms.first_column + n;
  var bits = 0u;
  if (HALF) {
    bits = half_bits(2u * word, column) | (half_bits(2u * word + 1u, column) << 16u);
  } else if (word < uniforms.in_features) {
    bits = x[word * uniforms.x_columns + column];
  }
  y[(uniforms.first_out + n) * uniforms.row_words + word] = bits;
}
