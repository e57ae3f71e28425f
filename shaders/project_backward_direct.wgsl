// Adapted projection, backward to its input: the equation of project_backward.wgsl, without workgroup memory.
//   dx[r, k] = Σ_n dy[r, n]·W[n, k] + drop[r, k]·Σ_part Σ_j du[r, part, j]·A[slot(r), part][k, j],  n < out
// Workgroup (g, t): 32 rows × 64 columns k, a lane 4 × 8 of them along all outputs n, four at a time. Processors that
// emulate a GPU pay more for barriers and workgroup memory than for reading twice.
// Reference: paper eq. 7, differentiated; tests/reference/projectBackward.ts. Wrapper: src/kernels/projectBackward.ts

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 2: bf16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
override ZEROS: u32 = 0u; // of blocks: 0: bytes, 1: f32, 2: none, and codes name one of 16 levels, f32, in their place
override ALIGNED: bool = true; // rows of dy and their first `out` columns are whole vectors
const ROWS = 4u; // of a lane
const COLUMNS = 8u; // of a lane
const LANES = 8u; // side by side; and as many one below the other
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  out: u32,
  in_features: u32,
  in_vectors: u32,
  row_vectors: u32,
  block_size: u32,
  row_blocks: u32,
  dy_stride: u32,
  dx_stride: u32,
  parts: u32,
  rank: u32,
  a_offset: u32,
  a_part_stride: u32,
  a_slot_stride: u32,
  salt: u32,
}

struct Row {
  position: u32,
  slot: u32,
  scale: f32,
  sequence: u32,
}

struct Step {
  rows: u32,
  row: array<Row>,
}

struct Dropout {
  seed: u32,
  threshold: u32, // of 2³²: the share that is dropped
  scale: f32, // of what is kept
  unused: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> step: Step;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>; // [rows, dy_stride], du after the columns
@group(0) @binding(3) var<storage, read> weights: array<vec4u>; // [out, row_vectors]
@group(0) @binding(4) var<storage, read> scales: array<u32>; // [out, row_blocks]
@group(0) @binding(5) var<storage, read> zeros: array<u32>; // [out, row_blocks], or [16] levels
@group(0) @binding(6) var<storage, read> a: array<vec4f>; // [slots, …, in, rank]
@group(0) @binding(7) var<storage, read> dropout: Dropout; // 4 words
@group(0) @binding(8) var<storage, read_write> dx: array<f32>; // [rows, dx_stride]

// Reference: O'Neill 2014; the hash form of Jarzynski & Olano 2020.
fn pcg(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

fn row_key(row: u32) -> u32 {
  return pcg(row + pcg(uniforms.salt + pcg(dropout.seed)));
}

fn kept(key: u32, column: u32) -> f32 {
  return select(dropout.scale, 0.0, pcg(key + column) < dropout.threshold);
}

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

fn level(index: u32) -> vec4f {
  return vec4f(bitcast<f32>(zeros[index]));
}

// The levels that four codes name, chosen bit by bit: looking them up takes software drivers minutes to compile.
fn four_levels(codes: vec4u) -> vec4f {
  let first = (codes & vec4u(1u)) == vec4u(1u);
  let second = (codes & vec4u(2u)) == vec4u(2u);
  let third = (codes & vec4u(4u)) == vec4u(4u);
  let a = select(select(level(0u), level(1u), first), select(level(2u), level(3u), first), second);
  let b = select(select(level(4u), level(5u), first), select(level(6u), level(7u), first), second);
  let c = select(select(level(8u), level(9u), first), select(level(10u), level(11u), first), second);
  let d = select(select(level(12u), level(13u), first), select(level(14u), level(15u), first), second);
  return select(select(a, b, third), select(c, d, third), codes >= vec4u(8u));
}

// Four codes with a byte each as numbers, or the levels that they name.
fn code_values(word: u32) -> vec4f {
  let codes = unpack4xU8(word);
  if (ZEROS == 2u) {
    return four_levels(codes);
  }
  return vec4f(codes);
}

// The two floats of a word, halves or the upper halves of f32.
fn two_halves(word: u32) -> vec2f {
  if (FORMAT == 2u) {
    return vec2f(bitcast<f32>(word << 16u), bitcast<f32>(word & 0xffff0000u));
  }
  return unpack2x16float(word);
}

// Four neighbours in dy, from any index on.
fn four_of_dy(index: u32) -> vec4f {
  if (ALIGNED) {
    return dy[index / 4u];
  }
  let i = index + vec4u(0u, 1u, 2u, 3u);
  return vec4f(dy[i.x / 4u][i.x % 4u], dy[i.y / 4u][i.y % 4u], dy[i.z / 4u][i.z % 4u], dy[i.w / 4u][i.w % 4u]);
}

// Outputs n to n + 4 of a row's gradient; what lies past the last is zero.
fn gradients(row: u32, n: u32) -> vec4f {
  let values = four_of_dy(row * uniforms.dy_stride + n);
  if (ALIGNED) {
    return values;
  }
  return select(vec4f(), values, n + vec4u(0u, 1u, 2u, 3u) < vec4u(uniforms.out));
}

// The weights of output n in columns k to k + 8, k a multiple of 8. Columns past the end repeat others: their sums are never
// stored.
fn weights_of(n: u32, k: u32) -> mat2x4f {
  let row = n * uniforms.row_vectors;
  let last = uniforms.in_vectors - 1u;
  if (FORMAT == 0u) {
    return mat2x4f(
      bitcast<vec4f>(weights[row + min(k / 4u, last)]),
      bitcast<vec4f>(weights[row + min(k / 4u + 1u, last)]),
    );
  }
  if (FORMAT == 1u || FORMAT == 2u) {
    let w = weights[row + min(k / 8u, last)];
    return mat2x4f(
      vec4f(two_halves(w.x), two_halves(w.y)),
      vec4f(two_halves(w.z), two_halves(w.w)),
    );
  }
  let block = n * uniforms.row_blocks + min(k / uniforms.block_size, uniforms.row_blocks - 1u);
  let scale = block_scale(block);
  let zero = block_zero(block);
  if (FORMAT == 8u) {
    let at = row + min(k / 16u, last);
    let word = k / 4u % 4u;
    return mat2x4f((code_values(weights[at][word]) - zero) * scale, (code_values(weights[at][word + 1u]) - zero) * scale);
  }
  let word = weights[row + min(k / 32u, last)][k / 8u % 4u];
  let even = (code_values(word & 0x0f0f0f0fu) - zero) * scale;
  let odd = (code_values((word >> 4u) & 0x0f0f0f0fu) - zero) * scale;
  return mat2x4f(vec4f(even.x, odd.x, even.y, odd.y), vec4f(even.z, odd.z, even.w, odd.w));
}

// The adapter's part of columns k to k + 4 of a row.
fn adapted_by_fours(row: u32, k: u32) -> vec4f {
  let entry = step.row[row];
  if (entry.scale == 0.0) {
    return vec4f();
  }
  let quads = uniforms.rank / 4u;
  // Columns past the end read the last row of A: their sums are never stored.
  let line = quads * min(vec4u(k) + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.in_features - 1u));
  var du_at = row * uniforms.dy_stride + uniforms.out;
  var sum = vec4f();
  for (var part = 0u; part < uniforms.parts; part++) {
    let base = (entry.slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u;
    for (var quad = 0u; quad < quads; quad++) {
      let du = four_of_dy(du_at);
      let at = line + base + quad;
      sum += vec4f(dot(du, a[at.x]), dot(du, a[at.y]), dot(du, a[at.z]), dot(du, a[at.w]));
      du_at += 4u;
    }
  }
  let key = row_key(row);
  return sum * vec4f(kept(key, k), kept(key, k + 1u), kept(key, k + 2u), kept(key, k + 3u));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn project_backward_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = ((workgroup.y + workgroup.z * grid.y) * LANES + lane / LANES) * ROWS;
  let k = (workgroup.x * LANES + lane % LANES) * COLUMNS;
  // Rows past the end repeat the last one and are not stored.
  let last_row = step.rows - 1u;
  var sum_0 = mat2x4f();
  var sum_1 = mat2x4f();
  var sum_2 = mat2x4f();
  var sum_3 = mat2x4f();
  for (var n = 0u; n < uniforms.out; n += 4u) {
    let dy_0 = gradients(min(row, last_row), n);
    let dy_1 = gradients(min(row + 1u, last_row), n);
    let dy_2 = gradients(min(row + 2u, last_row), n);
    let dy_3 = gradients(min(row + 3u, last_row), n);
    for (var i = 0u; i < 4u; i++) {
      let w = weights_of(min(n + i, uniforms.out - 1u), k);
      sum_0 += dy_0[i] * w;
      sum_1 += dy_1[i] * w;
      sum_2 += dy_2[i] * w;
      sum_3 += dy_3[i] * w;
    }
  }
  var sums = array<vec4f, 8>(sum_0[0], sum_0[1], sum_1[0], sum_1[1], sum_2[0], sum_2[1], sum_3[0], sum_3[1]);
  // As many turns as there are rows: a loop that a compiler cannot unroll, since eight copies of the adapter's part take a
  // software driver seconds to compile.
  let end = 2u * min(step.rows - min(row, step.rows), ROWS);
  for (var i = 0u; i < end; i++) {
    let first = k + i % 2u * 4u;
    let values = sums[i] + adapted_by_fours(row + i / 2u, first);
    for (var j = 0u; j < 4u && first + j < uniforms.in_features; j++) {
      dx[(row + i / 2u) * uniforms.dx_stride + first + j] = values[j];
    }
  }
}
