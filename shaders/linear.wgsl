// Linear layer, forward: a tiled matrix product with an epilogue.
//   y[to(r), o] = residual[to(r), o] + scale * act(sum_i x[from(r), i] * weight[o, i] + bias[o])
//   from(r) = x_first_row + (r / block_rows) * x_block_rows + r % block_rows
//   y[to(r), o] lies at y_offset + slot * y_block_stride + (r % block_rows) * columns + o, slot of block r / block_rows
// One workgroup per 64x64 tile of y: both operands pass through workgroup memory in steps of 16 inner indices, each
// invocation keeps 4x4 sums in registers. Blocks whose slot is NOWHERE are computed where a tile needs them, not stored.
// Reference: the definition. Wrapper: src/kernels/linear.ts

const TILE: u32 = 64u;
const STEP: u32 = 16u;
const SIDE: u32 = 16u; // invocations along each side of a tile
const EACH: u32 = 4u; // TILE / SIDE
const NOWHERE: u32 = 0xffffffffu;

struct Uniforms {
  rows: u32,
  columns: u32,
  inner: u32,
  block_rows: u32,
  x_first_row: u32,
  x_block_rows: u32,
  y_offset: u32,
  y_block_stride: u32,
  has_bias: u32,
  has_residual: u32,
  has_slots: u32, // otherwise the slot of a block is its number
  relu: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [x rows, inner]
@group(0) @binding(2) var<storage, read> weight: array<f32>; // [columns, inner]
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [columns], any buffer without has_bias
@group(0) @binding(4) var<storage, read> residual: array<f32>; // laid out as y, any buffer without has_residual
@group(0) @binding(5) var<storage, read> slots: array<u32>; // [blocks], any buffer without has_slots
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // see the header

var<workgroup> x_tile: array<f32, 1024>; // [STEP, TILE]
var<workgroup> weight_tile: array<f32, 1024>; // [STEP, TILE]

fn x_row(row: u32) -> u32 {
  let block = row / uniforms.block_rows;
  return uniforms.x_first_row + block * uniforms.x_block_rows + row % uniforms.block_rows;
}

/// Where a row begins in y, or NOWHERE.
fn y_row(row: u32) -> u32 {
  if (row >= uniforms.rows) {
    return NOWHERE;
  }
  var slot = row / uniforms.block_rows;
  if (uniforms.has_slots != 0u) {
    slot = slots[slot];
  }
  let start = uniforms.y_offset + slot * uniforms.y_block_stride + (row % uniforms.block_rows) * uniforms.columns;
  return select(start, NOWHERE, slot == NOWHERE);
}

fn store(row_start: u32, column: u32, product: f32) {
  if (row_start == NOWHERE || column >= uniforms.columns) {
    return;
  }
  var value = product;
  if (uniforms.has_bias != 0u) {
    value += bias[column];
  }
  if (uniforms.relu != 0u) {
    value = max(value, 0.0);
  }
  value *= uniforms.scale;
  if (uniforms.has_residual != 0u) {
    value += residual[row_start + column];
  }
  y[row_start + column] = value;
}

@compute @workgroup_size(256)
fn linear(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = workgroup.y * TILE;
  let first_column = workgroup.x * TILE;
  // While loading, four neighbouring invocations read four neighbouring inner indices of one row each.
  let load_line = lane / EACH;
  let load_inner = (lane % EACH) * EACH;
  let load_row = first_row + load_line;
  let load_column = first_column + load_line;
  let x_base = x_row(min(load_row, uniforms.rows - 1u)) * uniforms.inner;
  let weight_base = min(load_column, uniforms.columns - 1u) * uniforms.inner;
  let tile_row = (lane / SIDE) * EACH;
  let tile_column = (lane % SIDE) * EACH;

  var sum_0 = vec4f();
  var sum_1 = vec4f();
  var sum_2 = vec4f();
  var sum_3 = vec4f();
  for (var start = 0u; start < uniforms.inner; start += STEP) {
    for (var k = 0u; k < EACH; k++) {
      let inner = min(start + load_inner + k, uniforms.inner - 1u);
      let index = (load_inner + k) * TILE + load_line;
      x_tile[index] = x[x_base + inner];
      weight_tile[index] = weight[weight_base + inner];
    }
    workgroupBarrier();
    let steps = min(STEP, uniforms.inner - start);
    for (var k = 0u; k < steps; k++) {
      let r = k * TILE + tile_row;
      let c = k * TILE + tile_column;
      let w = vec4f(weight_tile[c], weight_tile[c + 1u], weight_tile[c + 2u], weight_tile[c + 3u]);
      sum_0 += x_tile[r] * w;
      sum_1 += x_tile[r + 1u] * w;
      sum_2 += x_tile[r + 2u] * w;
      sum_3 += x_tile[r + 3u] * w;
    }
    workgroupBarrier();
  }

  let row_0 = y_row(first_row + tile_row);
  let row_1 = y_row(first_row + tile_row + 1u);
  let row_2 = y_row(first_row + tile_row + 2u);
  let row_3 = y_row(first_row + tile_row + 3u);
  for (var c = 0u; c < EACH; c++) {
    let column = first_column + tile_column + c;
    store(row_0, column, sum_0[c]);
    store(row_1, column, sum_1[c]);
    store(row_2, column, sum_2[c]);
    store(row_3, column, sum_3[c]);
  }
}
