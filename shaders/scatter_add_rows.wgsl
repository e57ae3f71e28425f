// Rows added to others by an index list: the backward of gather_rows, gradients accumulate.
//   y[index[i], c] = y[index[i], c] + x[i, c], no index twice
// Workgroup (g, i): 64 columns of one row, a lane one column.
// Reference: tests/reference/gatherRows.ts. Wrapper: src/kernels/scatterAddRows.ts

const WORKGROUP_SIZE = 64u;

struct Uniforms {
  columns: u32,
  x_stride: u32,
  y_stride: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, x_stride]
@group(0) @binding(2) var<storage, read> index: array<u32>; // [rows]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [targets, y_stride]

@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_add_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y;
  let column = workgroup.x * WORKGROUP_SIZE + lane;
  if (column < uniforms.columns) {
    y[index[row] * uniforms.y_stride + column] += x[row * uniforms.x_stride + column];
  }
}
