// Residual addition with bias and adapter, then RMSNorm, forward.
//   residual[r, c] += delta[r, c] + bias[c] + scale(r)·Σ_j u[r, j]·B[j, c]      (without ADD: unchanged)
//   y[r, c] = gain[c]·residual[r, c] / √(mean_c(residual[r, c]²) + epsilon)     (without NORM: y = residual)
// One workgroup per row; a lane takes four columns at a time, WORKGROUP_SIZE apart.
// Reference: Zhang & Sennrich 2019, eq. 4; paper eq. 7; tests/reference/addRmsNorm.ts. Wrapper: src/kernels/addRmsNorm.ts

override ADD: bool = true;
override NORM: bool = true;
override WORKGROUP_SIZE: u32 = 64u; // a power of two
const EACH = 4u; // columns of a lane at a time

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

// What is added to four columns: what is read of u serves all four.
fn added(row: u32, columns: vec4u) -> vec4f {
  let base = row * uniforms.delta_stride;
  let v = base + columns;
  var sum = vec4f(delta[v.x], delta[v.y], delta[v.z], delta[v.w])
    + vec4f(bias[columns.x], bias[columns.y], bias[columns.z], bias[columns.w]);
  let entry = step.row[row];
  if (entry.scale != 0.0) {
    var adapted = vec4f();
    let u = base + uniforms.columns;
    var w = entry.slot * uniforms.b_slot_stride + uniforms.b_offset + columns;
    for (var j = 0u; j < uniforms.rank; j++) {
      adapted += delta[u + j] * vec4f(b[w.x], b[w.y], b[w.z], b[w.w]);
      w += uniforms.columns;
    }
    sum += entry.scale * adapted;
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn add_rms_norm(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.x + workgroup.y * grid.x;
  let base = row * uniforms.residual_stride;

  var sum = 0.0;
  for (var first = lane; first < uniforms.columns; first += EACH * WORKGROUP_SIZE) {
    let wanted = first + WORKGROUP_SIZE * vec4u(0u, 1u, 2u, 3u);
    // Columns past the end repeat the last one and do not count.
    let columns = min(wanted, vec4u(uniforms.columns - 1u));
    let v = base + columns;
    var values = vec4f(residual[v.x], residual[v.y], residual[v.z], residual[v.w]);
    if (ADD) {
      values += added(row, columns);
    }
    for (var i = 0u; i < EACH; i++) {
      if (wanted[i] < uniforms.columns) {
        sum += values[i] * values[i];
        if (ADD) {
          residual[v[i]] = values[i];
        }
      }
    }
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
    var value = residual[base + c];
    if (NORM) {
      value *= gain[c] * scale;
    }
    y[row * uniforms.y_stride + c] = value;
  }
}
