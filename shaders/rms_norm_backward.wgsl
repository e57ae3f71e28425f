// Root-mean-square normalisation, backward; the gradient of the residual stream is added to or written.
//   with y[r, c] = gain[c]·s·x[r, c], s = 1/√(mean_c(x²) + epsilon):
//   dx[r, c] = keep + s·gain[c]·dy[r, c] − s³/columns·x[r, c]·Σ_i dy[r, i]·gain[i]·x[r, i];  keep = dx[r, c] with ADD, else 0;
//   without NORM: dx[r, c] = keep + dy[r, c]
// One workgroup per row; each invocation strides over the columns.
// Reference: Zhang & Sennrich 2019, eq. 4, differentiated; tests/reference/rmsNormBackward.ts.
// Wrapper: src/kernels/rmsNormBackward.ts

override ADD: bool = true;
override NORM: bool = true;
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  columns: u32,
  dy_stride: u32,
  x_stride: u32,
  dx_stride: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [rows, dy_stride]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [rows, x_stride]
@group(0) @binding(3) var<storage, read> gain: array<f32>; // [columns]
@group(0) @binding(4) var<storage, read_write> dx: array<f32>; // [rows, dx_stride]

var<workgroup> partial: array<vec2f, WORKGROUP_SIZE>; // Σ x², Σ dy·gain·x

@compute @workgroup_size(WORKGROUP_SIZE)
fn rms_norm_backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.x + workgroup.y * grid.x;
  let x_base = row * uniforms.x_stride;
  let dy_base = row * uniforms.dy_stride;

  var sums = vec2f();
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    let value = x[x_base + c];
    sums += value * vec2f(value, dy[dy_base + c] * gain[c]);
  }
  partial[lane] = sums;
  workgroupBarrier();

  for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (lane < stride) {
      partial[lane] += partial[lane + stride];
    }
    workgroupBarrier();
  }

  let columns = f32(uniforms.columns);
  let scale = inverseSqrt(partial[0].x / columns + uniforms.epsilon);
  let pull = scale * scale * scale * partial[0].y / columns;
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    let index = row * uniforms.dx_stride + c;
    var value = dy[dy_base + c];
    if (NORM) {
      value = scale * gain[c] * value - pull * x[x_base + c];
    }
    if (ADD) {
      value += dx[index];
    }
    dx[index] = value;
  }
}
