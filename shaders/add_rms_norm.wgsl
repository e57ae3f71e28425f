// Residual addition with bias and adapter, then RMSNorm, forward.
//   residual[r, c] += delta[r, c] + bias[c] + scale(r)·Σ_j u[r, j]·B[j, c]      (without ADD: unchanged)
//   y[r, c] = gain[c]·residual[r, c] / √(mean_c(residual[r, c]²) + epsilon)
// One workgroup per row; each invocation strides over the columns.
// Reference: Zhang & Sennrich 2019, eq. 4; paper eq. 7; tests/reference/addRmsNorm.ts. Wrapper: src/kernels/addRmsNorm.ts

override ADD: bool = true;
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  columns: u32,
  delta_stride: u32,
  residual_stride: u32,
  y_stride: u32,
  rank: u32,
  b_offset: u32,
  b_slot_stride: u32,
  epsilon: f32,
}

struct Row {
  position: u32,
  slot: u32,
  scale: f32,
  sequence: u32,
}

struct Step {
  rows: u32,
  row: array<Row>,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> step: Step;
@group(0) @binding(2) var<storage, read> delta: array<f32>; // [rows, delta_stride], u after the columns
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [columns]
@group(0) @binding(4) var<storage, read> b: array<f32>; // [slots or 1, …, rank, columns]
@group(0) @binding(5) var<storage, read> gain: array<f32>; // [columns]
@group(0) @binding(6) var<storage, read_write> residual: array<f32>; // [rows, residual_stride]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [rows, y_stride]

var<workgroup> partial: array<f32, WORKGROUP_SIZE>;

fn added(row: u32, column: u32) -> f32 {
  let base = row * uniforms.delta_stride;
  var sum = delta[base + column] + bias[column];
  let entry = step.row[row];
  if (entry.scale != 0.0) {
    var adapted = 0.0;
    let b_base = entry.slot * uniforms.b_slot_stride + uniforms.b_offset + column;
    for (var j = 0u; j < uniforms.rank; j++) {
      adapted += delta[base + uniforms.columns + j] * b[b_base + j * uniforms.columns];
    }
    sum += entry.scale * adapted;
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn add_rms_norm(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.x;
  let base = row * uniforms.residual_stride;

  var sum = 0.0;
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    var value = residual[base + c];
    if (ADD) {
      value += added(row, c);
      residual[base + c] = value;
    }
    sum += value * value;
  }
  partial[lane] = sum;
  workgroupBarrier();

  for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (lane < stride) {
      partial[lane] += partial[lane + stride];
    }
    workgroupBarrier();
  }

  let scale = inverseSqrt(partial[0] / f32(uniforms.columns) + uniforms.epsilon);
  for (var c = lane; c < uniforms.columns; c += WORKGROUP_SIZE) {
    y[row * uniforms.y_stride + c] = gain[c] * scale * residual[base + c];
  }
}
