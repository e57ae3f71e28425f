// Adapted projection of many rows, forward: the equation of project.wgsl, tiled.
//   y[r, n] = Σ_k x[r, k]·W[n, k];   y[r, out + part·rank + j] = Σ_k x[r, k]·A[slot(r), part][k, j]
// Workgroup (g, t): the first `out_groups` values of g take a tile of 32 rows × 32 outputs, 64 lanes with 4 × 4 each,
// weights unpacked into workgroup memory 32 columns at a time; the others take 32 rank columns for 32 rows, which are a tile
// like any other where all of these rows play the same slot, or none.
// Reference: paper eq. 7; tests/reference/project.ts. Wrapper: src/kernels/project.ts

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 2: bf16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
override ZEROS: u32 = 0u; // of blocks: 0: bytes, 1: f32, 2: none, and codes name one of 16 levels, f32, in their place
const TILE = 32u; // rows, outputs and columns of a tile
const QUADS = 8u; // of a tile's side
const WORKGROUP_SIZE = 64u;
const NOBODY = 0xffffffffu; // no row plays a slot
const SEVERAL = 0xfffffffeu; // rows play different ones

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
  rank_quads: u32, // of all parts
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

var<workgroup> x_tile: array<vec4f, 256>; // [column, quad of rows]
var<workgroup> w_tile: array<vec4f, 256>; // [column, quad of outputs]

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

// Four weights of row n from column k on, a multiple of 4.
fn four_weights(n: u32, k: u32) -> vec4f {
  let row = n * uniforms.row_vectors;
  if (FORMAT == 0u) {
    return bitcast<vec4f>(weights[row + k / 4u]);
  }
  if (FORMAT == 1u || FORMAT == 2u) {
    let w = weights[row + k / 8u];
    let words = select(w.xy, w.zw, k % 8u == 4u);
    return vec4f(two_halves(words.x), two_halves(words.y));
  }
  let block = n * uniforms.row_blocks + k / uniforms.block_size;
  var codes = weights[row + FORMAT * k / 128u][FORMAT * k / 32u % 4u];
  if (FORMAT == 4u) {
    // Four nibbles spread over four bytes.
    codes = extractBits(codes, 4u * (k % 8u), 16u);
    codes = (codes | (codes << 8u)) & 0x00ff00ffu;
    codes = (codes | (codes << 4u)) & 0x0f0f0f0fu;
  }
  return (code_values(codes) - block_zero(block)) * block_scale(block);
}

// Columns of a row that hold weights.
fn weight_columns() -> u32 {
  if (FORMAT <= 2u) {
    return uniforms.in_vectors * select(8u, 4u, FORMAT == 0u);
  }
  return uniforms.row_blocks * uniforms.block_size;
}

// Brings four rows of x, at four columns from k on, to its tile. Rows past the end are zero.
fn put_x(first_row: u32, k: u32, lane: u32) {
  let quad = lane % QUADS;
  let column = lane / QUADS * 4u;
  var left = mat4x4f();
  for (var i = 0u; i < 4u; i++) {
    let row = first_row + 4u * quad + i;
    if (row < step.rows) {
      left[i] = x[(row * uniforms.x_stride + k) / 4u];
    }
  }
  left = transpose(left);
  for (var i = 0u; i < 4u; i++) {
    x_tile[(column + i) * QUADS + quad] = left[i];
  }
}

// Adds the product of both tiles, a lane 4 × 4 of it.
fn add_tiles(sums: ptr<function, array<vec4f, 4>>, lane: u32) {
  for (var c = 0u; c < TILE; c++) {
    let x_quad = x_tile[c * QUADS + lane / QUADS];
    let w_quad = w_tile[c * QUADS + lane % QUADS];
    (*sums)[0] += x_quad.x * w_quad;
    (*sums)[1] += x_quad.y * w_quad;
    (*sums)[2] += x_quad.z * w_quad;
    (*sums)[3] += x_quad.w * w_quad;
  }
}

fn tile_product(first_row: u32, first_output: u32, lane: u32) {
  var sums = array<vec4f, 4>();
  let columns = weight_columns();
  let quad = lane % QUADS;
  let column = lane / QUADS * 4u;
  for (var first = 0u; first < columns; first += TILE) {
    // A lane brings in 4 rows × 4 columns of x and of W and transposes both. Columns of W past the end are zero; rows of W
    // past the end repeat the last, their sums are never stored.
    let k = first + column;
    put_x(first_row, k, lane);
    var right = mat4x4f();
    for (var i = 0u; i < 4u; i++) {
      if (k < columns) {
        right[i] = four_weights(min(first_output + 4u * quad + i, uniforms.out - 1u), k);
      }
    }
    right = transpose(right);
    for (var i = 0u; i < 4u; i++) {
      w_tile[(column + i) * QUADS + quad] = right[i];
    }
    workgroupBarrier();
    add_tiles(&sums, lane);
    workgroupBarrier();
  }
  let output = first_output + 4u * quad;
  for (var i = 0u; i < 4u; i++) {
    let row = first_row + 4u * (lane / QUADS) + i;
    for (var j = 0u; j < 4u; j++) {
      if (row < step.rows && output + j < uniforms.out) {
        y[row * uniforms.y_stride + output + j] = sums[i][j];
      }
    }
  }
}

// The slot that all rows of a tile play which play one.
fn common_slot(first_row: u32) -> u32 {
  var slot = NOBODY;
  for (var row = first_row; row < min(first_row + TILE, step.rows); row++) {
    let entry = step.row[row];
    if (entry.scale != 0.0 && slot != entry.slot) {
      slot = select(SEVERAL, entry.slot, slot == NOBODY);
    }
  }
  return slot;
}

// Where a quad of rank columns begins in A; quads past the end repeat the last.
fn rank_base(slot: u32, wanted: u32) -> u32 {
  let quad = min(wanted, uniforms.rank_quads - 1u);
  let quads = uniforms.rank / 4u;
  let part = quad / quads;
  return (slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u + quad % quads;
}

fn put_rank_columns(row: u32, quad: u32, sum: vec4f) {
  if (row < step.rows && quad < uniforms.rank_quads) {
    for (var i = 0u; i < 4u; i++) {
      y[row * uniforms.y_stride + uniforms.out + 4u * quad + i] = sum[i];
    }
  }
}

// Rank columns of rows that play one slot, or none: A lies as its tile has it.
fn rank_tile(first_row: u32, first_quad: u32, slot: u32, lane: u32) {
  var sums = array<vec4f, 4>();
  let quad = lane % QUADS;
  let column = lane / QUADS * 4u;
  let base = rank_base(slot, first_quad + quad);
  let quads = uniforms.rank / 4u;
  let columns = select(uniforms.in_features, 0u, slot == NOBODY);
  for (var first = 0u; first < columns; first += TILE) {
    let k = first + column;
    put_x(first_row, k, lane);
    for (var i = 0u; i < 4u; i++) {
      // Behind the last column another matrix begins.
      w_tile[(column + i) * QUADS + quad] = select(vec4f(), a[base + (k + i) * quads], k + i < columns);
    }
    workgroupBarrier();
    add_tiles(&sums, lane);
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    let row = first_row + 4u * (lane / QUADS) + i;
    let is_playing = row < step.rows && step.row[min(row, step.rows - 1u)].scale != 0.0;
    put_rank_columns(row, first_quad + quad, select(vec4f(), sums[i], is_playing));
  }
}

// Rank columns of rows that play several slots: a lane takes one quad of every eighth row.
fn rank_rows(first_row: u32, first_quad: u32, lane: u32) {
  let quads = uniforms.rank / 4u;
  let quad = first_quad + lane % QUADS;
  for (var row = first_row + lane / QUADS; row < min(first_row + TILE, step.rows); row += WORKGROUP_SIZE / QUADS) {
    let entry = step.row[row];
    let base = rank_base(entry.slot, quad);
    let vectors = select(0u, (uniforms.in_features + 3u) / 4u, entry.scale != 0.0);
    var sum = vec4f();
    for (var v = 0u; v < vectors; v++) {
      // Where the input ends within a vector, its padding is zero.
      let values = x[row * uniforms.x_stride / 4u + v];
      let first = base + 4u * v * quads;
      sum += values.x * a[first] + values.y * a[first + quads]
        + values.z * a[first + 2u * quads] + values.w * a[first + 3u * quads];
    }
    put_rank_columns(row, quad, sum);
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn project_tile(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = (workgroup.y + workgroup.z * grid.y) * TILE;
  if (workgroup.x < uniforms.out_groups) {
    tile_product(first_row, workgroup.x * TILE, lane);
    return;
  }
  let first_quad = (workgroup.x - uniforms.out_groups) * QUADS;
  let slot = common_slot(first_row);
  if (slot == SEVERAL) {
    rank_rows(first_row, first_quad, lane);
  } else {
    rank_tile(first_row, first_quad, slot, lane);
  }
}
