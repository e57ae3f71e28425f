// LayerNorm, forward.
//   y[r, c] = gain[c] * (x[r, c] - mean_r) / sqrt(variance_r + epsilon) + bias[c]
//   mean_r = sum_c x[r, c] / columns,  variance_r = sum_c (x[r, c] - mean_r)^2 / columns
// One workgroup per row; each invocation strides over the columns, once for the mean and once for the variance.
// Reference: Ba, Kiros & Hinton 2016, eq. 4. Wrapper: src/kernels/layerNorm.ts

override WORKGROUP_SIZE: u32 = 64u; // a power of two

struct Uniforms {
  columns: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read> gain: array<f32>; // [columns]
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [columns]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [rows, columns]

var<workgroup> partial: array<f32, WORKGROUP_SIZE>;

/// The sum of one value per invocation; every invocation gets it.
fn sum_over_workgroup(lane: u32, value: f32) -> f32 {
  partial[lane] = value;
  workgroupBarrier();
  for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (lane < stride) {
      partial[lane] += partial[lane + stride];
    }
    workgroupBarrier();
  }
  let sum = partial[0];
  workgroupBarrier();
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn layer_norm(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (workgroup.x + workgroup.y * grid.x) * uniforms.columns;

  var sum = 0.0;
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    sum += x[row + c];
  }
  let mean = sum_over_workgroup(lane, sum) / f32(uniforms.columns);

  var squares = 0.0;
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    let difference = x[row + c] - mean;
    squares += difference * difference;
  }
  let variance = sum_over_workgroup(lane, squares) / f32(uniforms.columns);

  let scale = inverseSqrt(variance + uniforms.epsilon);
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    y[row + c] = gain[c] * scale * (x[row + c] - mean) + bias[c];
  }
}
