// Rows scaled to length 1, backward.
//   dx[r, c] = (dy[r, c] − y[r, c]·Σ_i y[r, i]·dy[r, i]) / ‖x[r]‖,  y[r, c] = x[r, c] / ‖x[r]‖
// One workgroup per row; each invocation strides over the columns.
// Reference: the definition, differentiated; tests/reference/normaliseRows.ts. Wrapper: src/kernels/normaliseRowsBackward.ts

const WORKGROUP_SIZE: u32 = 64u;

struct Uniforms {
  columns: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [rows, columns]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // [rows, columns]

var<workgroup> partial: array<vec2f, WORKGROUP_SIZE>; // Σ x², Σ x·dy

@compute @workgroup_size(WORKGROUP_SIZE)
fn normalise_rows_backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.x * uniforms.columns;
  var sums = vec2f();
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    sums += x[row + c] * vec2f(x[row + c], dy[row + c]);
  }
  partial[lane] = sums;
  workgroupBarrier();
  var total = vec2f();
  for (var i = 0u; i < min(WORKGROUP_SIZE, uniforms.columns); i++) {
    total += partial[i];
  }

  let scale = 1.0 / max(sqrt(total.x), 1.0e-12);
  let along = scale * scale * total.y;
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    dx[row + c] = scale * (dy[row + c] - along * x[row + c]);
  }
}
