// LayerNorm, backward with respect to gain and bias; both gradients accumulate.
//   dgain[c] = dgain[c] + Σ_r dy[r, c]·s_r·(x[r, c] − mean_r)      dbias[c] = dbias[c] + Σ_r dy[r, c]
//   r < count[0]·block_rows, (mean_r, s_r) = stats[r] as layer_norm_backward leaves them
// One workgroup per 16 columns: 16 slices of invocations share the rows, and are added in order in the end.
// Reference: Ba, Kiros & Hinton 2016, eq. 4, differentiated; tests/reference/layerNormBackward.ts.
// Wrapper: src/kernels/layerNormBackwardWeight.ts

const WIDTH: u32 = 16u;
const SLICES: u32 = 16u;

struct Uniforms {
  columns: u32,
  block_rows: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [rows, columns]
@group(0) @binding(3) var<storage, read> stats: array<f32>; // [rows, 2]
@group(0) @binding(4) var<storage, read> count: array<u32>; // [1]
@group(0) @binding(5) var<storage, read_write> dgain: array<f32>; // [columns]
@group(0) @binding(6) var<storage, read_write> dbias: array<f32>; // [columns]

var<workgroup> partial: array<vec2f, 256>; // [SLICES, WIDTH]

@compute @workgroup_size(256)
fn layer_norm_backward_weight(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = workgroup.x * WIDTH + lane % WIDTH;
  let rows = count[0] * uniforms.block_rows;

  var sums = vec2f();
  if (column < uniforms.columns) {
    for (var r = lane / WIDTH; r < rows; r += SLICES) {
      let index = r * uniforms.columns + column;
      sums += dy[index] * vec2f(stats[2u * r + 1u] * (x[index] - stats[2u * r]), 1.0);
    }
  }
  partial[lane] = sums;
  workgroupBarrier();

  if (lane < WIDTH && column < uniforms.columns) {
    var total = vec2f();
    for (var i = lane; i < SLICES * WIDTH; i += WIDTH) {
      total += partial[i];
    }
    dgain[column] += total.x;
    dbias[column] += total.y;
  }
}
