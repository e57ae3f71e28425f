// Gated activation with bias and adapter, forward.
//   g[r, n] = gate_up[r, n] + bias[n] + scale(r)·Σ_j u[r, 0, j]·B_gate[j, n];  p likewise from the second half
//   y[r, n] = g[r, n] / (1 + exp(−g[r, n]))·p[r, n]
// Workgroup (g, r): 64 columns of one row, a lane one column.
// Reference: Shazeer 2020, eq. 6; paper eq. 7; tests/reference/swiglu.ts. Wrapper: src/kernels/swiglu.ts

const WORKGROUP_SIZE = 64u;

struct Uniforms {
  columns: u32,
  gate_up_stride: u32,
  y_stride: u32,
  rank: u32,
  b_gate: u32,
  b_up: u32,
  b_slot_stride: u32,
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
@group(0) @binding(2) var<storage, read> gate_up: array<f32>; // [rows, gate_up_stride], gate, up, u of each
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [2·columns]
@group(0) @binding(4) var<storage, read> b: array<f32>; // [slots or 1, …, rank, columns]
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [rows, y_stride]

fn value(row: u32, part: u32, column: u32, b_offset: u32) -> f32 {
  let base = row * uniforms.gate_up_stride;
  let index = part * uniforms.columns + column;
  var sum = gate_up[base + index] + bias[index];
  let entry = step.row[row];
  if (entry.scale != 0.0) {
    var delta = 0.0;
    let u = base + 2u * uniforms.columns + part * uniforms.rank;
    let b_base = entry.slot * uniforms.b_slot_stride + b_offset + column;
    for (var j = 0u; j < uniforms.rank; j++) {
      delta += gate_up[u + j] * b[b_base + j * uniforms.columns];
    }
    sum += entry.scale * delta;
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn swiglu(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y;
  let column = workgroup.x * WORKGROUP_SIZE + lane;
  if (column < uniforms.columns) {
    let gate = value(row, 0u, column, uniforms.b_gate);
    let up = value(row, 1u, column, uniforms.b_up);
    // Below −80 the sigmoid is zero in f32; the clamp keeps exp from overflowing.
    y[row * uniforms.y_stride + column] = gate / (1.0 + exp(min(-gate, 80.0))) * up;
  }
}
