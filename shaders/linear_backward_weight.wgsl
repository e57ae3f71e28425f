// Linear layer, backward with respect to weight and bias; both gradients accumulate.
//   dweight[o, i] = dweight[o, i] + scale·Σ_r g[r, o]·x[from(r), i]      dbias[o] = dbias[o] + scale·Σ_r g[r, o]
//   g[r, o] = dy[to(r), o], and 0 where gate[to(r), o] ≤ 0 with has_gate: the gradient through a ReLU
//   from(r) and to(r) as in linear, the slot of a block being its number; the sums go over the first count[0] blocks
// One workgroup per 16×16 tile of dweight. Steps of 64 rows pass through workgroup memory, shared out among 16 slices of
// 16 invocations with 4×4 sums each; in the end the slices are added in order. The first tile of each line sums dbias.
// Reference: the definition, differentiated; tests/reference/linearBackward.ts. Wrapper: src/kernels/linearBackwardWeight.ts

const TILE: u32 = 16u;
const STEP: u32 = 64u;
const LANES: u32 = 256u;
const SLICES: u32 = 16u;
const OTHER: u32 = 1024u; // STEP * TILE
const AREA: u32 = 256u; // TILE * TILE
const EACH: u32 = 4u; // rows of a step for each slice; outputs and inputs of an invocation

struct Uniforms {
  columns: u32, // outputs of the layer
  inner: u32, // inputs of the layer
  block_rows: u32,
  x_first_row: u32,
  x_block_rows: u32,
  y_offset: u32,
  y_block_stride: u32,
  has_gate: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // laid out as y of linear
@group(0) @binding(2) var<storage, read> gate: array<f32>; // laid out as dy, any buffer without has_gate
@group(0) @binding(3) var<storage, read> x: array<f32>; // [x rows, inner]
@group(0) @binding(4) var<storage, read> count: array<u32>; // [1]
@group(0) @binding(5) var<storage, read_write> dweight: array<f32>; // [columns, inner]
@group(0) @binding(6) var<storage, read_write> dbias: array<f32>; // [columns]

// While summing, dy [STEP, TILE] and, from OTHER on, x [STEP, TILE]; then the slices' sums [SLICES, TILE, TILE].
var<workgroup> scratch: array<f32, 4096>;

fn gradient(row: u32, column: u32) -> f32 {
  let block = row / uniforms.block_rows;
  if (block >= count[0] || column >= uniforms.columns) {
    return 0.0;
  }
  let row_start = uniforms.y_offset + block * uniforms.y_block_stride + (row % uniforms.block_rows) * uniforms.columns;
  let index = row_start + column;
  if (uniforms.has_gate != 0u && gate[index] <= 0.0) {
    return 0.0;
  }
  return dy[index];
}

fn x_at(row: u32, column: u32) -> f32 {
  let block = row / uniforms.block_rows;
  if (block >= count[0] || column >= uniforms.inner) {
    return 0.0;
  }
  let x_row = uniforms.x_first_row + block * uniforms.x_block_rows + row % uniforms.block_rows;
  return x[x_row * uniforms.inner + column];
}

/// Keeps a row of an invocation's sums where `add_slices` finds it.
fn keep(slice: u32, row: u32, column: u32, sums: vec4f) {
  let first = slice * AREA + row * TILE + column;
  scratch[first] = sums.x;
  scratch[first + 1u] = sums.y;
  scratch[first + 2u] = sums.z;
  scratch[first + 3u] = sums.w;
}

fn add_slices(first: u32, stride: u32) -> f32 {
  var total = 0.0;
  for (var i = first; i < SLICES * stride; i += stride) {
    total += scratch[i];
  }
  return total;
}

@compute @workgroup_size(256)
fn linear_backward_weight(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = (workgroup.x + workgroup.z * grid.x) * TILE;
  let first_column = workgroup.y * TILE;
  let slice = lane / TILE;
  let tile_row = (lane % TILE / EACH) * EACH;
  let tile_column = (lane % EACH) * EACH;
  let rows = count[0] * uniforms.block_rows;

  var bias_sum = 0.0; // of output first_row + lane % TILE
  var sum_0 = vec4f();
  var sum_1 = vec4f();
  var sum_2 = vec4f();
  var sum_3 = vec4f();
  for (var start = 0u; start < rows; start += STEP) {
    for (var k = 0u; k < EACH; k++) {
      let element = k * LANES + lane;
      scratch[element] = gradient(start + element / TILE, first_row + element % TILE);
      scratch[OTHER + element] = x_at(start + element / TILE, first_column + element % TILE);
    }
    workgroupBarrier();
    for (var k = 0u; k < EACH; k++) {
      let line = (slice * EACH + k) * TILE;
      let r = line + tile_row;
      let c = OTHER + line + tile_column;
      let x_line = vec4f(scratch[c], scratch[c + 1u], scratch[c + 2u], scratch[c + 3u]);
      bias_sum += scratch[line + lane % TILE];
      sum_0 += scratch[r] * x_line;
      sum_1 += scratch[r + 1u] * x_line;
      sum_2 += scratch[r + 2u] * x_line;
      sum_3 += scratch[r + 3u] * x_line;
    }
    workgroupBarrier();
  }

  keep(slice, tile_row, tile_column, sum_0);
  keep(slice, tile_row + 1u, tile_column, sum_1);
  keep(slice, tile_row + 2u, tile_column, sum_2);
  keep(slice, tile_row + 3u, tile_column, sum_3);
  workgroupBarrier();
  let row = first_row + lane / TILE;
  let column = first_column + lane % TILE;
  if (row < uniforms.columns && column < uniforms.inner) {
    dweight[row * uniforms.inner + column] += uniforms.scale * add_slices(lane, AREA);
  }
  // Of the slices' sums a lane overwrites what it alone has read.
  scratch[lane] = bias_sum;
  workgroupBarrier();
  let output = first_row + lane;
  if (workgroup.y == 0u && lane < TILE && output < uniforms.columns) {
    dbias[output] += uniforms.scale * add_slices(lane, TILE);
  }
}
