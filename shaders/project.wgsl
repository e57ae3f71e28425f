// Adapted projection of a few rows, forward.
//   y[r, n]                     = Σ_k x[r, k]·W[n, k]                            n < out
//   y[r, out + part·rank + j]   = Σ_k x[r, k]·A[slot(r), part][k, j]             what B takes; the consumer of y adds scale·Σ_j u[j]·B[j, n]
// Workgroup (g, r): the first `out_groups` values of g take 16 outputs each, four teams of 16 lanes, a team four
// outputs, a lane every 16th vector along k; the other values of g take one quad of rank columns each, 64 lanes along k.
// Reference: paper eq. 7; tests/reference/project.ts. Wrapper: src/kernels/project.ts

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
const LANES = 16u; // of a team, along k
const OUTPUTS = 4u; // of a team
const TEAMS = 4u;
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
  last_row_only: u32,
}

struct Row {
  position: u32,
  slot: u32,
  scale: f32,
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

// Eight 4-bit codes of a word against x[0..8).
fn nibbles(word: u32, zero: f32, x0: vec4f, x1: vec4f) -> f32 {
  let even = vec4f(unpack4xU8(word & 0x0f0f0f0fu)) - zero;
  let odd = vec4f(unpack4xU8((word >> 4u) & 0x0f0f0f0fu)) - zero;
  return dot(even, vec4f(x0.xz, x1.xz)) + dot(odd, vec4f(x0.yw, x1.yw));
}

fn bytes(word: u32, zero: f32, x0: vec4f) -> f32 {
  return dot(vec4f(unpack4xU8(word)) - zero, x0);
}

// The product of vector v of weight row n with the x that belongs to it.
fn vector_product(n: u32, v: u32, x_base: u32) -> f32 {
  let w = weights[n * uniforms.row_vectors + v];
  if (FORMAT == 0u) {
    return dot(bitcast<vec4f>(w), x[x_base + v]);
  }
  if (FORMAT == 1u) {
    let first = vec4f(unpack2x16float(w.x), unpack2x16float(w.y));
    let second = vec4f(unpack2x16float(w.z), unpack2x16float(w.w));
    return dot(first, x[x_base + 2u * v]) + dot(second, x[x_base + 2u * v + 1u]);
  }
  if (FORMAT == 8u) {
    let block = n * uniforms.row_blocks + 16u * v / uniforms.block_size;
    let zero = block_zero(block);
    let b = x_base + 4u * v;
    return block_scale(block)
      * (bytes(w.x, zero, x[b]) + bytes(w.y, zero, x[b + 1u]) + bytes(w.z, zero, x[b + 2u]) + bytes(w.w, zero, x[b + 3u]));
  }
  let first_block = n * uniforms.row_blocks + 32u * v / uniforms.block_size;
  let second_block = n * uniforms.row_blocks + (32u * v + 16u) / uniforms.block_size;
  let first_zero = block_zero(first_block);
  let second_zero = block_zero(second_block);
  let b = x_base + 8u * v;
  return block_scale(first_block) * (nibbles(w.x, first_zero, x[b], x[b + 1u]) + nibbles(w.y, first_zero, x[b + 2u], x[b + 3u]))
    + block_scale(second_block) * (nibbles(w.z, second_zero, x[b + 4u], x[b + 5u]) + nibbles(w.w, second_zero, x[b + 6u], x[b + 7u]));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn project(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  var row = workgroup.y;
  if (uniforms.last_row_only == 1u) {
    row = step.rows - 1u;
  }
  let x_base = row * uniforms.x_stride / 4u;
  let y_base = workgroup.y * uniforms.y_stride;

  if (workgroup.x < uniforms.out_groups) {
    let team = lane / LANES;
    let first = (workgroup.x * TEAMS + team) * OUTPUTS;
    // Rows past the end read the last row: their sums are never stored.
    let n = min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.out - 1u));
    var sum = vec4f();
    for (var v = lane % LANES; v < uniforms.in_vectors; v += LANES) {
      sum += vec4f(
        vector_product(n.x, v, x_base),
        vector_product(n.y, v, x_base),
        vector_product(n.z, v, x_base),
        vector_product(n.w, v, x_base),
      );
    }
    partial[lane] = sum;
    workgroupBarrier();
    if (lane < TEAMS * OUTPUTS) {
      let output = workgroup.x * TEAMS * OUTPUTS + lane;
      var total = 0.0;
      for (var i = 0u; i < LANES; i++) {
        total += partial[lane / OUTPUTS * LANES + i][lane % OUTPUTS];
      }
      if (output < uniforms.out) {
        y[y_base + output] = total;
      }
    }
  } else {
    let quads = uniforms.rank / 4u;
    let quad = workgroup.x - uniforms.out_groups;
    let part = quad / quads;
    let slot = step.row[row].slot;
    let base = (slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u + quad % quads;
    var sum = vec4f();
    // A row that plays no role multiplies nothing.
    let in_features = select(0u, uniforms.in_features, step.row[row].scale != 0.0);
    for (var k = lane; k < in_features; k += WORKGROUP_SIZE) {
      sum += x[x_base + k / 4u][k % 4u] * a[base + k * quads];
    }
    partial[lane] = sum;
    workgroupBarrier();
    if (lane < 4u) {
      var total = 0.0;
      for (var i = 0u; i < WORKGROUP_SIZE; i++) {
        total += partial[i][lane];
      }
      y[y_base + uniforms.out + 4u * quad + lane] = total;
    }
  }
}
