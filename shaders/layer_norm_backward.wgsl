// LayerNorm, backward with respect to its input.
//   dx[r, c] = keep + s·(d[c] − mean_c(d) − n[c]·mean_c(d·n));  keep = dx[r, c] with accumulate, else 0
//   with d[c] = gain[c]·dy[r, c], n[c] = s·(x[r, c] − mean_r), s = 1/√(variance_r + epsilon); stats[r] = (mean_r, s)
// One workgroup per row; each invocation strides over the columns, for the mean, the variance and the two sums.
// Reference: Ba, Kiros & Hinton 2016, eq. 4, differentiated; tests/reference/layerNormBackward.ts.
// Wrapper: src/kernels/layerNormBackward.ts

const WORKGROUP_SIZE: u32 = 64u;

struct Uniforms {
  columns: u32,
  accumulate: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [rows, columns]
@group(0) @binding(3) var<storage, read> gain: array<f32>; // [columns]
@group(0) @binding(4) var<storage, read_write> dx: array<f32>; // [rows, columns]
@group(0) @binding(5) var<storage, read_write> stats: array<f32>; // [rows, 2]

var<workgroup> partial: array<vec2f, WORKGROUP_SIZE>;

/// The sums of two values per invocation; every invocation gets them. Only the first `columns` lanes have any.
fn two_sums_over_workgroup(lane: u32, value: vec2f) -> vec2f {
  partial[lane] = value;
  workgroupBarrier();
  var total = vec2f();
  for (var i = 0u; i < min(WORKGROUP_SIZE, uniforms.columns); i++) {
    total += partial[i];
  }
  workgroupBarrier();
  return total;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn layer_norm_backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup.x + workgroup.y * grid.x;
  let row = index * uniforms.columns;
  let columns = f32(uniforms.columns);

  var sum = 0.0;
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    sum += x[row + c];
  }
  let mean = two_sums_over_workgroup(lane, vec2f(sum, 0.0)).x / columns;

  var squares = 0.0;
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    let difference = x[row + c] - mean;
    squares += difference * difference;
  }
  let scale = inverseSqrt(two_sums_over_workgroup(lane, vec2f(squares, 0.0)).x / columns + uniforms.epsilon);

  var sums = vec2f();
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    let d = gain[c] * dy[row + c];
    sums += d * vec2f(1.0, scale * (x[row + c] - mean));
  }
  let means = two_sums_over_workgroup(lane, sums) / columns;

  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    let normed = scale * (x[row + c] - mean);
    var value = scale * (gain[c] * dy[row + c] - means.x - normed * means.y);
    if (uniforms.accumulate != 0u) {
      value += dx[row + c];
    }
    dx[row + c] = value;
  }
  if (lane == 0u) {
    stats[index * 2u] = mean;
    stats[index * 2u + 1u] = scale;
  }
}
