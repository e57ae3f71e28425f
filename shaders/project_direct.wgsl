// Adapted projection of many rows, forward: the equation of project.wgsl, without workgroup memory.
//   y[r, n] = Σ_k x[r, k]·W[n, k];   y[r, out + part·rank + j] = Σ_k x[r, k]·A[slot(r), part][k, j]
// Workgroup (g, t): the first `out_groups` values of g take 32 rows × 32 outputs, a lane 4 × 4 of them along all of k; the
// others take one quad of rank columns for 32 rows, two lanes a row. Processors that emulate a GPU pay more for barriers
// and workgroup memory than for reading twice.
// Reference: paper eq. 7; tests/reference/project.ts. Wrapper: src/kernels/project.ts

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
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
@group(0) @binding(5) var<storage, read> zeros: array<u32>; // [out, row_blocks], bytes
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
  return f32(extractBits(zeros[block / 4u], 8u * (block % 4u), 8u));
}

fn four_scales(block: vec4u) -> vec4f {
  return vec4f(block_scale(block.x), block_scale(block.y), block_scale(block.z), block_scale(block.w));
}

fn four_zeros(block: vec4u) -> vec4f {
  return vec4f(block_zero(block.x), block_zero(block.y), block_zero(block.z), block_zero(block.w));
}

// The bytes of a word of each of four weight rows, less their zeros; a row is a column of the matrix, so that
// `x * codes(w, zeros)` is four dots.
fn codes(w: vec4u, zeros: vec4f) -> mat4x4f {
  return mat4x4f(
    vec4f(unpack4xU8(w.x)) - zeros.x,
    vec4f(unpack4xU8(w.y)) - zeros.y,
    vec4f(unpack4xU8(w.z)) - zeros.z,
    vec4f(unpack4xU8(w.w)) - zeros.w,
  );
}

// Four halves of each of four weight rows.
fn halves(w0: vec2u, w1: vec2u, w2: vec2u, w3: vec2u) -> mat4x4f {
  return mat4x4f(
    vec4f(unpack2x16float(w0.x), unpack2x16float(w0.y)),
    vec4f(unpack2x16float(w1.x), unpack2x16float(w1.y)),
    vec4f(unpack2x16float(w2.x), unpack2x16float(w2.y)),
    vec4f(unpack2x16float(w3.x), unpack2x16float(w3.y)),
  );
}

// Four vectors of x, one for each row, against a word's worth of four weight rows.
fn four(x0: vec4f, x1: vec4f, x2: vec4f, x3: vec4f, w: mat4x4f) -> mat4x4f {
  return mat4x4f(x0 * w, x1 * w, x2 * w, x3 * w);
}

// Eight 4-bit codes of a word of each of four weight rows against two vectors of x of each of four rows.
fn nibbles(w: vec4u, zeros: vec4f, b: vec4u) -> mat4x4f {
  let even = codes(w & vec4u(0x0f0f0f0fu), zeros);
  let odd = codes((w >> vec4u(4u)) & vec4u(0x0f0f0f0fu), zeros);
  let c = b + 1u;
  return four(
    vec4f(x[b.x].xz, x[c.x].xz),
    vec4f(x[b.y].xz, x[c.y].xz),
    vec4f(x[b.z].xz, x[c.z].xz),
    vec4f(x[b.w].xz, x[c.w].xz),
    even,
  ) + four(
    vec4f(x[b.x].yw, x[c.x].yw),
    vec4f(x[b.y].yw, x[c.y].yw),
    vec4f(x[b.z].yw, x[c.z].yw),
    vec4f(x[b.w].yw, x[c.w].yw),
    odd,
  );
}

// The sums of four rows over a stretch of one block, times its scales.
fn scaled(sums: mat4x4f, block: vec4u) -> mat4x4f {
  let factors = four_scales(block);
  return mat4x4f(sums[0] * factors, sums[1] * factors, sums[2] * factors, sums[3] * factors);
}

// The products of vector v of the weight rows n with the x of four rows that belongs to it: column r holds row r.
fn vector_products(n: vec4u, v: u32, x_base: vec4u) -> mat4x4f {
  let w = n * uniforms.row_vectors + v;
  let w0 = weights[w.x];
  let w1 = weights[w.y];
  let w2 = weights[w.z];
  let w3 = weights[w.w];
  if (FORMAT == 0u) {
    let b = x_base + v;
    return four(x[b.x], x[b.y], x[b.z], x[b.w], mat4x4f(bitcast<vec4f>(w0), bitcast<vec4f>(w1), bitcast<vec4f>(w2), bitcast<vec4f>(w3)));
  }
  if (FORMAT == 1u) {
    let b = x_base + 2u * v;
    let c = b + 1u;
    return four(x[b.x], x[b.y], x[b.z], x[b.w], halves(w0.xy, w1.xy, w2.xy, w3.xy))
      + four(x[c.x], x[c.y], x[c.z], x[c.w], halves(w0.zw, w1.zw, w2.zw, w3.zw));
  }
  if (FORMAT == 8u) {
    let b = x_base + 4u * v;
    let block = n * uniforms.row_blocks + 16u * v / uniforms.block_size;
    let zeros = four_zeros(block);
    var sums = mat4x4f();
    for (var i = 0u; i < 4u; i++) {
      let c = b + i;
      sums += four(x[c.x], x[c.y], x[c.z], x[c.w], codes(vec4u(w0[i], w1[i], w2[i], w3[i]), zeros));
    }
    return scaled(sums, block);
  }
  let b = x_base + 8u * v;
  let block = n * uniforms.row_blocks + 32u * v / uniforms.block_size;
  let zeros = four_zeros(block);
  let first = nibbles(vec4u(w0.x, w1.x, w2.x, w3.x), zeros, b) + nibbles(vec4u(w0.y, w1.y, w2.y, w3.y), zeros, b + 2u);
  // The second half lies past the data where a row has an odd number of blocks of 16: x is zero there.
  let last_block = (n + 1u) * uniforms.row_blocks - 1u;
  let second_block = select(block, min(block + 1u, last_block), uniforms.block_size == 16u);
  let second_zeros = four_zeros(second_block);
  let second = nibbles(vec4u(w0.z, w1.z, w2.z, w3.z), second_zeros, b + 4u)
    + nibbles(vec4u(w0.w, w1.w, w2.w, w3.w), second_zeros, b + 6u);
  return scaled(first, block) + scaled(second, second_block);
}

fn products(first_row: u32, first_output: u32, lane: u32) {
  let row = first_row + 4u * (lane / QUADS);
  let output = first_output + 4u * (lane % QUADS);
  // Rows and outputs past the end repeat the last: their sums are never stored.
  let x_base = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(step.rows - 1u)) * (uniforms.x_stride / 4u);
  let n = min(output + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.out - 1u));
  var sums = mat4x4f();
  for (var v = 0u; v < uniforms.in_vectors; v++) {
    sums += vector_products(n, v, x_base);
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
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = workgroup.y * TILE;
  if (workgroup.x < uniforms.out_groups) {
    products(first_row, workgroup.x * TILE, lane);
  } else {
    rank_columns(first_row, workgroup.x - uniforms.out_groups, lane);
  }
}
