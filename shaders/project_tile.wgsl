// Adapted projection of many rows, forward: the equation of project.wgsl, tiled.
//   y[r, n] = Σ_k x[r, k]·W[n, k];   y[r, out + part·rank + j] = Σ_k x[r, k]·A[slot(r), part][k, j]
// Workgroup (g, t): the first `out_groups` values of g take a tile of 32 rows × 32 outputs, 64 lanes with 4 × 4 each,
// weights unpacked into workgroup memory 32 columns at a time; the others take one quad of rank columns for 32 rows.
// Reference: paper eq. 7; tests/reference/project.ts. Wrapper: src/kernels/project.ts

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
const TILE = 32u; // rows, outputs and columns of a tile
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

var<workgroup> x_tile: array<vec4f, 256>; // [column, quad of rows]
var<workgroup> w_tile: array<vec4f, 256>; // [column, quad of outputs]
var<workgroup> rows: u32;

fn block_scale(block: u32) -> f32 {
  if (HALF_SCALES) {
    return unpack2x16float(scales[block / 2u])[block % 2u];
  }
  return bitcast<f32>(scales[block]);
}

fn block_zero(block: u32) -> f32 {
  return f32(extractBits(zeros[block / 4u], 8u * (block % 4u), 8u));
}

fn put_weights(column: u32, output: u32, values: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    w_tile[(column + i) * QUADS + output / 4u][output % 4u] = values[i];
  }
}

// Unpacks 16 weights of row n from column k on (a multiple of 16) into the tile.
fn load_weights(n: u32, k: u32, column: u32, output: u32) {
  let row = min(n, uniforms.out - 1u) * uniforms.row_vectors;
  if (FORMAT == 0u || FORMAT == 1u) {
    let vectors = select(4u, 2u, FORMAT == 1u);
    for (var i = 0u; i < vectors; i++) {
      let v = k / (16u / vectors) + i;
      var w = vec4u();
      if (v < uniforms.in_vectors) {
        w = weights[row + v];
      }
      if (FORMAT == 0u) {
        put_weights(column + 4u * i, output, bitcast<vec4f>(w));
      } else {
        put_weights(column + 8u * i, output, vec4f(unpack2x16float(w.x), unpack2x16float(w.y)));
        put_weights(column + 8u * i + 4u, output, vec4f(unpack2x16float(w.z), unpack2x16float(w.w)));
      }
    }
    return;
  }
  let inside = k < uniforms.row_blocks * uniforms.block_size;
  let block = min(n, uniforms.out - 1u) * uniforms.row_blocks + k / uniforms.block_size;
  var scale = 0.0;
  var zero = 0.0;
  if (inside) {
    scale = block_scale(block);
    zero = block_zero(block);
  }
  if (FORMAT == 8u) {
    let w = weights[row + min(k / 16u, uniforms.in_vectors - 1u)];
    for (var i = 0u; i < 4u; i++) {
      put_weights(column + 4u * i, output, (vec4f(unpack4xU8(w[i])) - zero) * scale);
    }
    return;
  }
  let w = weights[row + min(k / 32u, uniforms.in_vectors - 1u)];
  for (var i = 0u; i < 2u; i++) {
    let word = w[2u * (k / 16u % 2u) + i];
    let even = (vec4f(unpack4xU8(word & 0x0f0f0f0fu)) - zero) * scale;
    let odd = (vec4f(unpack4xU8((word >> 4u) & 0x0f0f0f0fu)) - zero) * scale;
    put_weights(column + 8u * i, output, vec4f(even.x, odd.x, even.y, odd.y));
    put_weights(column + 8u * i + 4u, output, vec4f(even.z, odd.z, even.w, odd.w));
  }
}

// Brings 16 values of row r from column k on into the tile; rows past the end and columns past the stride are zero.
fn load_x(r: u32, k: u32, column: u32, tile_row: u32) {
  for (var i = 0u; i < 4u; i++) {
    var values = vec4f();
    if (r < rows && k + 4u * i < uniforms.x_stride) {
      values = x[(r * uniforms.x_stride + k) / 4u + i];
    }
    for (var j = 0u; j < 4u; j++) {
      x_tile[(column + 4u * i + j) * QUADS + tile_row / 4u][tile_row % 4u] = values[j];
    }
  }
}

fn store(row: u32, output: u32, values: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    if (row < rows && output + i < uniforms.out) {
      y[row * uniforms.y_stride + output + i] = values[i];
    }
  }
}

fn tile_product(first_row: u32, first_output: u32, lane: u32) {
  var sums = array<vec4f, 4>();
  let columns = uniforms.x_stride;
  for (var k = 0u; k < columns; k += TILE) {
    let line = lane / 2u;
    let half = lane % 2u * 16u;
    load_x(first_row + line, k + half, half, line);
    load_weights(first_output + line, k + half, half, line);
    workgroupBarrier();
    for (var c = 0u; c < TILE; c++) {
      let left = x_tile[c * QUADS + lane / QUADS];
      let right = w_tile[c * QUADS + lane % QUADS];
      sums[0] += left.x * right;
      sums[1] += left.y * right;
      sums[2] += left.z * right;
      sums[3] += left.w * right;
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    store(first_row + 4u * (lane / QUADS) + i, first_output + 4u * (lane % QUADS), sums[i]);
  }
}

fn rank_columns(first_row: u32, quad: u32, lane: u32) {
  let quads = uniforms.rank / 4u;
  let part = quad / quads;
  // Two lanes a row, each every other column; the second hands its sum over through workgroup memory.
  let row = first_row + lane / 2u;
  var sum = vec4f();
  if (row < rows) {
    let entry = step.row[row];
    if (entry.scale != 0.0) {
      let base = (entry.slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u + quad % quads;
      for (var k = lane % 2u; k < uniforms.in_features; k += 2u) {
        sum += x[(row * uniforms.x_stride + k) / 4u][k % 4u] * a[base + k * quads];
      }
    }
  }
  x_tile[lane] = sum;
  workgroupBarrier();
  if (lane % 2u == 0u && row < rows) {
    let total = x_tile[lane] + x_tile[lane + 1u];
    for (var i = 0u; i < 4u; i++) {
      y[row * uniforms.y_stride + uniforms.out + 4u * quad + i] = total[i];
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn project_tile(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  if (lane == 0u) {
    rows = step.rows;
  }
  workgroupBarrier();
  let first_row = workgroup.y * TILE;
  if (workgroup.x < uniforms.out_groups) {
    tile_product(first_row, workgroup.x * TILE, lane);
  } else {
    rank_columns(first_row, workgroup.x - uniforms.out_groups, lane);
  }
}
