// Adapted projection of many rows, forward: the equation of project.wgsl, without workgroup memory.
//   y[r, n] = Σ_k x[r, k]·W[n, k];   y[r, out + part·rank + j] = Σ_k x[r, k]·A[slot(r), part][k, j]
// Workgroup (g, t): the first `out_groups` values of g take 32 rows × 32 outputs, a lane 4 × 4 of them along all of k; the
// others take one quad of rank columns for 32 rows, two lanes a row. Processors that emulate a GPU pay more for barriers
// and workgroup memory than for reading twice.
// Reference: paper eq. 7; tests/reference/project.ts. Wrapper: src/kernels/project.ts

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 2: bf16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
override ZEROS: u32 = 0u; // of blocks: 0: bytes, 1: f32, 2: none, and codes name one of 16 levels, f32, in their place
override NARROW: bool = false; // 4-bit blocks of 16: two to a vector
const TILE = 32u; // rows and outputs of a workgroup
const QUADS = 8u; // of a tile's side
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  out: u32,
  in_vectors: u32,
  row_vectors: u32,
  block_size: u32,
  row_blocks: u32,
  out_groups: u32,
  x_stride: u32,
  y_stride: u32,
  in_features: u32,
  rank: u32,
  a_offset: u32,
  a_part_stride: u32,
  a_slot_stride: u32,
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

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> step: Step;
@group(0) @binding(2) var<storage, read> x: array<vec4f>; // [rows, x_stride]
@group(0) @binding(3) var<storage, read> weights: array<vec4u>; // [out, row_vectors]
@group(0) @binding(4) var<storage, read> scales: array<u32>; // [out, row_blocks]
@group(0) @binding(5) var<storage, read> zeros: array<u32>; // [out, row_blocks], or [16] levels
@group(0) @binding(6) var<storage, read> a: array<vec4f>; // [slots, …, in, rank]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [rows, y_stride]

var<workgroup> partial: array<vec4f, WORKGROUP_SIZE>;

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

fn four_scales(block: vec4u) -> vec4f {
  return vec4f(block_scale(block.x), block_scale(block.y), block_scale(block.z), block_scale(block.w));
}

fn four_zeros(block: vec4u) -> vec4f {
  return vec4f(block_zero(block.x), block_zero(block.y), block_zero(block.z), block_zero(block.w));
}

// The bytes of a word of each of four weight rows: column i holds byte i of the four.
fn turned_bytes(w: vec4u) -> mat4x4f {
  return transpose(mat4x4f(
    code_values(w.x),
    code_values(w.y),
    code_values(w.z),
    code_values(w.w),
  ));
}

// Four halves of each of four weight rows.
fn halves(w0: vec2u, w1: vec2u, w2: vec2u, w3: vec2u) -> mat4x4f {
  return mat4x4f(
    vec4f(two_halves(w0.x), two_halves(w0.y)),
    vec4f(two_halves(w1.x), two_halves(w1.y)),
    vec4f(two_halves(w2.x), two_halves(w2.y)),
    vec4f(two_halves(w3.x), two_halves(w3.y)),
  );
}

// Four vectors of x, one for each row, against a word's worth of four weight rows.
fn four_products(x0: vec4f, x1: vec4f, x2: vec4f, x3: vec4f, w: mat4x4f) -> mat4x4f {
  return mat4x4f(x0 * w, x1 * w, x2 * w, x3 * w);
}

// Adds weights of four outputs at one k, times the x of four rows there, to their sums.
fn add(sums: mat4x4f, x: vec4f, w: vec4f) -> mat4x4f {
  return mat4x4f(sums[0] + x.x * w, sums[1] + x.y * w, sums[2] + x.z * w, sums[3] + x.w * w);
}

// Vector b of x of each of four rows: column i holds element i of the four.
fn inputs(b: vec4u) -> mat4x4f {
  return transpose(mat4x4f(x[b.x], x[b.y], x[b.z], x[b.w]));
}

// Eight 4-bit codes of a word of each of four weight rows, as weights, times two vectors of x of each of four rows.
fn add_nibbles(sums: mat4x4f, w: vec4u, scales: vec4f, offsets: vec4f, b: vec4u) -> mat4x4f {
  let even = turned_bytes(w & vec4u(0x0f0f0f0fu));
  let odd = turned_bytes((w >> vec4u(4u)) & vec4u(0x0f0f0f0fu));
  var result = sums;
  for (var half = 0u; half < 2u; half++) {
    let values = inputs(b + half);
    result = add(result, values[0], even[2u * half] * scales - offsets);
    result = add(result, values[1], odd[2u * half] * scales - offsets);
    result = add(result, values[2], even[2u * half + 1u] * scales - offsets);
    result = add(result, values[3], odd[2u * half + 1u] * scales - offsets);
  }
  return result;
}

fn add_bytes(sums: mat4x4f, w: vec4u, scales: vec4f, offsets: vec4f, b: vec4u) -> mat4x4f {
  let codes = turned_bytes(w);
  let values = inputs(b);
  var result = sums;
  for (var i = 0u; i < 4u; i++) {
    result = add(result, values[i], codes[i] * scales - offsets);
  }
  return result;
}

// Adds the products of vector v of the weight rows n with the x of four rows that belongs to it: column r holds row r.
fn add_vector(sums: mat4x4f, n: vec4u, v: u32, x_base: vec4u) -> mat4x4f {
  let w = n * uniforms.row_vectors + v;
  let w0 = weights[w.x];
  let w1 = weights[w.y];
  let w2 = weights[w.z];
  let w3 = weights[w.w];
  if (FORMAT == 0u) {
    let b = x_base + v;
    let w = mat4x4f(bitcast<vec4f>(w0), bitcast<vec4f>(w1), bitcast<vec4f>(w2), bitcast<vec4f>(w3));
    return sums + four_products(x[b.x], x[b.y], x[b.z], x[b.w], w);
  }
  if (FORMAT == 1u || FORMAT == 2u) {
    let b = x_base + 2u * v;
    let c = b + 1u;
    return sums + four_products(x[b.x], x[b.y], x[b.z], x[b.w], halves(w0.xy, w1.xy, w2.xy, w3.xy))
      + four_products(x[c.x], x[c.y], x[c.z], x[c.w], halves(w0.zw, w1.zw, w2.zw, w3.zw));
  }
  // Word by word, as many as hold data: a loop of known length would be unrolled, and four words at once are more than a
  // processor's registers hold.
  let codes = select(4u, 8u, FORMAT == 4u); // of a word
  let words = min(4u, (uniforms.in_features + codes - 1u) / codes - 4u * v);
  let block = n * uniforms.row_blocks + 4u * codes * v / uniforms.block_size;
  var scales = four_scales(block);
  var offsets = scales * four_zeros(block);
  var second_scales = scales;
  var second_offsets = offsets;
  if (NARROW) {
    // Past the data where a row has an odd number of such blocks: nothing is multiplied with it.
    let second = min(block + 1u, (n + 1u) * uniforms.row_blocks - 1u);
    second_scales = four_scales(second);
    second_offsets = second_scales * four_zeros(second);
  }
  var result = sums;
  for (var i = 0u; i < words; i++) {
    if (NARROW && i == 2u) {
      scales = second_scales;
      offsets = second_offsets;
    }
    let word = 4u * v + i;
    let w = vec4u(w0[i], w1[i], w2[i], w3[i]);
    if (FORMAT == 8u) {
      result = add_bytes(result, w, scales, offsets, x_base + word);
    } else {
      result = add_nibbles(result, w, scales, offsets, x_base + 2u * word);
    }
  }
  return result;
}

fn products(first_row: u32, first_output: u32, lane: u32) {
  let row = first_row + 4u * (lane / QUADS);
  let output = first_output + 4u * (lane % QUADS);
  // Few rows cost few: lanes that have none wait for nobody.
  if (row >= step.rows) {
    return;
  }
  // Rows and outputs past the end repeat the last: their sums are never stored.
  let x_base = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(step.rows - 1u)) * (uniforms.x_stride / 4u);
  let n = min(output + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.out - 1u));
  var sums = mat4x4f();
  for (var v = 0u; v < uniforms.in_vectors; v++) {
    sums = add_vector(sums, n, v, x_base);
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      if (row + i < step.rows && output + j < uniforms.out) {
        y[(row + i) * uniforms.y_stride + output + j] = sums[i][j];
      }
    }
  }
}

fn rank_columns(first_row: u32, quad: u32, lane: u32) {
  let quads = uniforms.rank / 4u;
  let part = quad / quads;
  // Two lanes a row, each every other column; the second hands its sum over through workgroup memory.
  let row = first_row + lane / 2u;
  var sum = vec4f();
  if (row < step.rows) {
    let entry = step.row[row];
    if (entry.scale != 0.0) {
      let base = (entry.slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u + quad % quads;
      for (var k = lane % 2u; k < uniforms.in_features; k += 2u) {
        sum += x[(row * uniforms.x_stride + k) / 4u][k % 4u] * a[base + k * quads];
      }
    }
  }
  partial[lane] = sum;
  workgroupBarrier();
  if (lane % 2u == 0u && row < step.rows) {
    let total = partial[lane] + partial[lane + 1u];
    for (var i = 0u; i < 4u; i++) {
      y[row * uniforms.y_stride + uniforms.out + 4u * quad + i] = total[i];
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn project_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = (workgroup.y + workgroup.z * grid.y) * TILE;
  if (workgroup.x < uniforms.out_groups) {
    products(first_row, workgroup.x * TILE, lane);
  } else {
    rank_columns(first_row, workgroup.x - uniforms.out_groups, lane);
  }
}
