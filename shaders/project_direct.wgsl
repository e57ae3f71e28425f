// Adapted projection of many rows, forward: the equation of project.wgsl, without workgroup memory.
//   y[r, n] = Σ_k x[r, k]·W[n, k];   y[r, out + part·rank + j] = Σ_k x[r, k]·A[slot(r), part][k, j]
// Workgroup (g, t): the first `out_groups` values of g take 8 rows × 64 outputs, a lane 8 × 8 of them along all of k; the
// others take one quad of rank columns for 8 rows, a lane a row. Processors that emulate a GPU pay more for barriers and
// workgroup memory than for reading twice, and for reading, which they do lane by lane, more than for multiplying: what is
// read of W serves eight rows, and four lanes read two elements of x each and tell them to all.
// Reference: paper eq. 7; tests/reference/project.ts. Wrapper: src/kernels/project.ts

enable subgroups;

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 2: bf16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
override ZEROS: u32 = 0u; // of blocks: 0: bytes, 1: f32, 2: none, and codes name one of 16 levels, f32, in their place
const ROWS = 8u; // of a workgroup, and of a lane
const OUTPUTS = 8u; // of a lane
const EACH = 8u; // k of a step
const WORKGROUP_SIZE = 8u;

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
@group(0) @binding(2) var<storage, read> x: array<f32>; // [rows, x_stride]
@group(0) @binding(3) var<storage, read> weights: array<u32>; // [out, row_vectors] vectors of 4 words
@group(0) @binding(4) var<storage, read> scales: array<u32>; // [out, row_blocks]
@group(0) @binding(5) var<storage, read> zeros: array<u32>; // [out, row_blocks], or [16] levels
@group(0) @binding(6) var<storage, read> a: array<vec4f>; // [slots, …, in, rank]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [rows, y_stride]

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

// Products of eight rows with eight outputs: column r of each holds row r, or row 4 + r, element n output n, or 4 + n.
struct Tile {
  upper_left: mat4x4f,
  upper_right: mat4x4f,
  lower_left: mat4x4f,
  lower_right: mat4x4f,
}

// Four outputs: their weight rows, and the scales and scaled zeros of the block that is read of each.
struct Quad {
  n: vec4u,
  scales: vec4f,
  offsets: vec4f,
}

// Word `at` of each of four weight rows.
fn words(n: vec4u, at: u32) -> vec4u {
  let w = n * (4u * uniforms.row_vectors) + at;
  return vec4u(weights[w.x], weights[w.y], weights[w.z], weights[w.w]);
}

// The bytes of a word of each of four weight rows: column i holds byte i of the four.
fn turned_bytes(w: vec4u) -> mat4x4f {
  return transpose(mat4x4f(code_values(w.x), code_values(w.y), code_values(w.z), code_values(w.w)));
}

// Four weights of each of four weight rows that are no codes: column i holds weight i of the four.
fn turned_weights(n: vec4u, quad: u32) -> mat4x4f {
  if (FORMAT == 0u) {
    // A step may begin with the last four of a row; behind them x is zero.
    let first = 4u * min(quad, uniforms.in_vectors - 1u);
    return mat4x4f(
      bitcast<vec4f>(words(n, first)),
      bitcast<vec4f>(words(n, first + 1u)),
      bitcast<vec4f>(words(n, first + 2u)),
      bitcast<vec4f>(words(n, first + 3u)),
    );
  }
  let w = words(n, 2u * quad);
  let next = words(n, 2u * quad + 1u);
  return transpose(mat4x4f(
    vec4f(two_halves(w.x), two_halves(next.x)),
    vec4f(two_halves(w.y), two_halves(next.y)),
    vec4f(two_halves(w.z), two_halves(next.z)),
    vec4f(two_halves(w.w), two_halves(next.w)),
  ));
}

// Codes of four k as weights of four outputs.
fn scaled_codes(codes: mat4x4f, quad: Quad) -> mat4x4f {
  return mat4x4f(
    codes[0] * quad.scales - quad.offsets,
    codes[1] * quad.scales - quad.offsets,
    codes[2] * quad.scales - quad.offsets,
    codes[3] * quad.scales - quad.offsets,
  );
}

// A quad with what stands for a block of its weight rows.
fn quad_of(n: vec4u, block: u32) -> Quad {
  if (FORMAT != 4u && FORMAT != 8u) {
    return Quad(n, vec4f(), vec4f());
  }
  let at = n * uniforms.row_blocks + block;
  let scales = four_scales(at);
  return Quad(n, scales, scales * four_zeros(at));
}

// Eight k of four rows of x, or of four weight rows: column i of a half holds its k number i of the four.
struct Eight {
  first: mat4x4f,
  second: mat4x4f,
}

// What four lanes beside one another hold: column i is lane i's.
fn told(own: vec4f) -> mat4x4f {
  return mat4x4f(
    subgroupBroadcast(own, 0u),
    subgroupBroadcast(own, 1u),
    subgroupBroadcast(own, 2u),
    subgroupBroadcast(own, 3u),
  );
}

// Eight k of x of four rows, of which a lane reads two of each row: at `b`, and four behind it.
fn eight_inputs(b: vec4u) -> Eight {
  let next = b + 4u;
  return Eight(
    told(vec4f(x[b.x], x[b.y], x[b.z], x[b.w])),
    told(vec4f(x[next.x], x[next.y], x[next.z], x[next.w])),
  );
}

// Eight k of four weight rows.
fn eight_weights(quad: Quad, at: u32) -> Eight {
  if (FORMAT == 4u) {
    let w = words(quad.n, at);
    let even = turned_bytes(w & vec4u(0x0f0f0f0fu));
    let odd = turned_bytes((w >> vec4u(4u)) & vec4u(0x0f0f0f0fu));
    return Eight(
      scaled_codes(mat4x4f(even[0], odd[0], even[1], odd[1]), quad),
      scaled_codes(mat4x4f(even[2], odd[2], even[3], odd[3]), quad),
    );
  }
  if (FORMAT == 8u) {
    return Eight(
      scaled_codes(turned_bytes(words(quad.n, 2u * at)), quad),
      scaled_codes(turned_bytes(words(quad.n, 2u * at + 1u)), quad),
    );
  }
  return Eight(turned_weights(quad.n, 2u * at), turned_weights(quad.n, 2u * at + 1u));
}

// Adds weights of four outputs at one k, times the x of four rows there, to their sums.
fn add(sums: mat4x4f, x: vec4f, w: vec4f) -> mat4x4f {
  return mat4x4f(sums[0] + x.x * w, sums[1] + x.y * w, sums[2] + x.z * w, sums[3] + x.w * w);
}

fn add_four(sums: mat4x4f, x: mat4x4f, w: mat4x4f) -> mat4x4f {
  return add(add(add(add(sums, x[0], w[0]), x[1], w[1]), x[2], w[2]), x[3], w[3]);
}

fn add_eight(sums: mat4x4f, x: Eight, w: Eight) -> mat4x4f {
  return add_four(add_four(sums, x.first, w.first), x.second, w.second);
}

// Adds what eight k give: x of eight rows, of which a lane reads from `upper` and `lower` on, times weights of eight outputs.
fn add_step(tile: Tile, left: Quad, right: Quad, at: u32, upper: vec4u, lower: vec4u) -> Tile {
  let above = eight_inputs(upper + EACH * at);
  let below = eight_inputs(lower + EACH * at);
  let w = eight_weights(left, at);
  let next = eight_weights(right, at);
  return Tile(
    add_eight(tile.upper_left, above, w),
    add_eight(tile.upper_right, above, next),
    add_eight(tile.lower_left, below, w),
    add_eight(tile.lower_right, below, next),
  );
}

fn store_quarter(sums: mat4x4f, row: u32, output: u32) {
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      if (row + i < step.rows && output + j < uniforms.out) {
        y[(row + i) * uniforms.y_stride + output + j] = sums[i][j];
      }
    }
  }
}

fn products(row: u32, output: u32, place: u32) {
  // Rows and outputs past the end repeat the last: their sums are never stored.
  let last = vec4u(step.rows - 1u);
  let upper = min(row + vec4u(0u, 1u, 2u, 3u), last) * uniforms.x_stride + place;
  let lower = min(row + vec4u(4u, 5u, 6u, 7u), last) * uniforms.x_stride + place;
  let left = min(output + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.out - 1u));
  let right = min(output + vec4u(4u, 5u, 6u, 7u), vec4u(uniforms.out - 1u));
  let steps = (uniforms.in_features + EACH - 1u) / EACH;
  let block_steps = select(steps, uniforms.block_size / EACH, FORMAT == 4u || FORMAT == 8u);
  var tile = Tile();
  var block = 0u;
  for (var first = 0u; first < steps; first += block_steps) {
    let left_quad = quad_of(left, block);
    let right_quad = quad_of(right, block);
    let end = min(first + block_steps, steps);
    for (var at = first; at < end; at++) {
      tile = add_step(tile, left_quad, right_quad, at, upper, lower);
    }
    block++;
  }
  store_quarter(tile.upper_left, row, output);
  store_quarter(tile.upper_right, row, output + 4u);
  store_quarter(tile.lower_left, row + 4u, output);
  store_quarter(tile.lower_right, row + 4u, output + 4u);
}

fn rank_columns(row: u32, quad: u32) {
  if (row >= step.rows) {
    return;
  }
  let quads = uniforms.rank / 4u;
  let entry = step.row[row];
  let base = (entry.slot * uniforms.a_slot_stride + uniforms.a_offset + quad / quads * uniforms.a_part_stride) / 4u + quad % quads;
  // A row that plays no role multiplies nothing.
  let vectors = select(0u, (uniforms.in_features + 3u) / 4u, entry.scale != 0.0);
  var sum = vec4f();
  for (var v = 0u; v < vectors; v++) {
    // Where the input ends within a vector, its padding is zero.
    let at = row * uniforms.x_stride + 4u * v;
    let values = vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
    let first = base + 4u * v * quads;
    sum += values.x * a[first] + values.y * a[first + quads]
      + values.z * a[first + 2u * quads] + values.w * a[first + 3u * quads];
  }
  for (var i = 0u; i < 4u; i++) {
    y[row * uniforms.y_stride + uniforms.out + 4u * quad + i] = sum[i];
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn project_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) place: u32,
) {
  let first_row = (workgroup.y + workgroup.z * grid.y) * ROWS;
  if (workgroup.x < uniforms.out_groups) {
    products(first_row, (workgroup.x * WORKGROUP_SIZE + lane) * OUTPUTS, place % 4u);
  } else {
    rank_columns(first_row + lane, workgroup.x - uniforms.out_groups);
  }
}
