// Linear layer, forward: the equation of linear.wgsl, without workgroup memory.
//   y[to(r), o] = residual[to(r), o] + scale * act(sum_i x[from(r), i] * weight[o, i] + bias[o])
//   from(r) = x_first_row + (r / block_rows) * x_block_rows + r % block_rows
//   y[to(r), o] lies at y_offset + slot * y_block_stride + (r % block_rows) * columns + o, slot of block r / block_rows
// Workgroup (g, t): 32 columns and 32 rows, a lane 4 x 4 of them along all inner indices. Processors that emulate a GPU pay
// more for barriers and workgroup memory than for reading twice.
// Reference: the definition. Wrapper: src/kernels/linear.ts

const TILE: u32 = 32u;
const QUADS: u32 = 8u; // of a tile's side
const EACH: u32 = 4u; // rows and columns of a lane
const WORKGROUP_SIZE: u32 = 64u;
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

@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y * TILE + lane / QUADS * EACH;
  let column = workgroup.x * TILE + lane % QUADS * EACH;
  if (row >= uniforms.rows || column >= uniforms.columns) {
    return;
  }
  // Rows and columns past the end repeat the last: their sums are never stored.
  let last_row = uniforms.rows - 1u;
  let r = vec4u(x_row(row), x_row(min(row + 1u, last_row)), x_row(min(row + 2u, last_row)), x_row(min(row + 3u, last_row)))
    * uniforms.inner;
  let w = min(column + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.columns - 1u)) * uniforms.inner;
  var sum_0 = vec4f();
  var sum_1 = vec4f();
  var sum_2 = vec4f();
  var sum_3 = vec4f();
  for (var i = 0u; i < uniforms.inner; i++) {
    let weights = vec4f(weight[w.x + i], weight[w.y + i], weight[w.z + i], weight[w.w + i]);
    sum_0 += x[r.x + i] * weights;
    sum_1 += x[r.y + i] * weights;
    sum_2 += x[r.z + i] * weights;
    sum_3 += x[r.w + i] * weights;
  }
  let row_0 = y_row(row);
  let row_1 = y_row(row + 1u);
  let row_2 = y_row(row + 2u);
  let row_3 = y_row(row + 3u);
  for (var c = 0u; c < EACH; c++) {
    store(row_0, column + c, sum_0[c]);
    store(row_1, column + c, sum_1[c]);
    store(row_2, column + c, sum_2[c]);
    store(row_3, column + c, sum_3[c]);
  }
}
