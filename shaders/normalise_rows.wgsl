// Rows scaled to length 1, forward.
//   y[r, c] = x[r, c] / max(√(Σ_i x[r, i]²), 1e-12)
// One workgroup per row; each invocation strides over the columns.
// Reference: the features of HyCoRA's contrastive loss (arXiv 2511.08017). Wrapper: src/kernels/normaliseRows.ts

const WORKGROUP_SIZE: u32 = 64u;

struct Uniforms {
  columns: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows, columns]

var<workgroup> partial: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn normalise_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.x * uniforms.columns;
  var squares = 0.0;
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    squares += x[row + c] * x[row + c];
  }
  partial[lane] = squares;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < min(WORKGROUP_SIZE, uniforms.columns); i++) {
    total += partial[i];
  }

  let scale = 1.0 / max(sqrt(total), 1.0e-12);
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    y[row + c] = scale * x[row + c];
  }
}
