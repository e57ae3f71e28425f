// Gated activation with bias and adapter, backward; the gradient of gate and up is written, that of bias and B is not here.
//   g[r, n] = gate_up[r, n] + bias[n] + scale(r)·Σ_j u[r, 0, j]·B_gate[j, n];  p likewise from the second half
//   with s = 1 / (1 + exp(−g)):  dg[r, n] = dy[r, n]·p·s·(1 + g·(1 − s)),  dp[r, n] = dy[r, n]·g·s
// Workgroup (g, r): 64 columns of one row, a lane one column of both halves.
// Reference: Shazeer 2020, eq. 6, differentiated; tests/reference/swigluBackward.ts. Wrapper: src/kernels/swigluBackward.ts

const WORKGROUP_SIZE = 64u;

struct Uniforms {
  columns: u32,
  gate_up_stride: u32,
  dy_stride: u32,
  dgate_up_stride: u32,
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
@group(0) @binding(5) var<storage, read> dy: array<f32>; // [rows, dy_stride]
@group(0) @binding(6) var<storage, read_write> dgate_up: array<f32>; // [rows, dgate_up_stride], dgate, dup

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
fn swiglu_backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y;
  let column = workgroup.x * WORKGROUP_SIZE + lane;
  if (column < uniforms.columns) {
    let gate = value(row, 0u, column, uniforms.b_gate);
    let up = value(row, 1u, column, uniforms.b_up);
    // Below −80 the sigmoid is zero in f32; the clamp keeps exp from overflowing.
    let decay = exp(min(-gate, 80.0));
    let sigmoid = 1.0 / (1.0 + decay);
    let gradient = dy[row * uniforms.dy_stride + column];
    let index = row * uniforms.dgate_up_stride + column;
    // 1 − s, without what the difference would cancel.
    dgate_up[index] = gradient * up * sigmoid * (1.0 + gate * (decay * sigmoid));
    dgate_up[index + uniforms.columns] = gradient * gate * sigmoid;
  }
}
