// Transposition of lines of a stored weight matrix at load, into zero-padded rows.
//   y[first_out + n, first_k + k] = x[k, first_column + n]
// Workgroup (g, n): 64 words of one output row, a lane one word of as many elements as it holds.
// Reference: tests/gpu/kernels/transpose.test.ts. Wrapper: src/kernels/transpose.ts

override FROM_BITS: u32 = 32u; // of an element of x, low bits first; divides 32
override TO_BITS: u32 = 32u; // of an element of y, at least as many
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  lines: u32,
  x_columns: u32,
  first_column: u32,
  out: u32,
  first_out: u32,
  row_words: u32,
  first_word: u32, // of a row of y
  words: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<u32>; // [lines, x_columns]
@group(0) @binding(2) var<storage, read_write> y: array<u32>; // [≥ first_out + out, row_words]

fn element(k: u32, column: u32) -> u32 {
  if (k >= uniforms.lines) {
    return 0u;
  }
  let index = k * uniforms.x_columns + column;
  let each = 32u / FROM_BITS;
  return extractBits(x[index / each], FROM_BITS * (index % each), FROM_BITS);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn transpose(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let word = workgroup.x * WORKGROUP_SIZE + lane;
  let n = workgroup.y + workgroup.z * 32768u;
  if (word >= uniforms.words || n >= uniforms.out) {
    return;
  }
  let each = 32u / TO_BITS;
  var bits = 0u;
  for (var i = 0u; i < each; i++) {
    bits |= element(each * word + i, uniforms.first_column + n) << (TO_BITS * i);
  }
  y[(uniforms.first_out + n) * uniforms.row_words + uniforms.first_word + word] = bits;
}
