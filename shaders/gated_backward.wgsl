// Gated activation with bias and adapter, backward; the gradient of gate and up is written, that of bias and B is not here.
//   g[r, n] = gate_up[r, n] + bias[n] + scale(r)·Σ_j u[r, 0, j]·B_gate[j, n];  p likewise from the second half
//   with s = 1 / (1 + exp(−z)):  dg[r, n] = dy[r, n]·p·s·(1 + g·(1 − s)·dz/dg),  dp[r, n] = dy[r, n]·g·s
//   z = g for SiLU;  2·√(2/π)·(g + 0.044715·g³) for GELU, dz/dg = 2·√(2/π)·(1 + 3·0.044715·g²)
// Workgroup (g, r): 128 columns of one row, a lane four of both halves, 32 apart.
// Reference: Shazeer 2020, eq. 6, and Hendrycks & Gimpel 2016, §2, differentiated; tests/reference/gatedBackward.ts.
// Wrapper: src/kernels/gatedBackward.ts

override GELU: bool = false; // else SiLU

const WORKGROUP_SIZE = 32u;
const EACH = 4u; // columns of a lane
const SLOPE = 1.5957691216057308; // 2·√(2/π)
const CUBIC = 0.044715;

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

// The values of four columns of a part: what is read of u serves all four.
fn values(row: u32, part: u32, columns: vec4u, b_offset: u32) -> vec4f {
  let base = row * uniforms.gate_up_stride;
  let c = part * uniforms.columns + columns;
  let v = base + c;
  var sum = vec4f(gate_up[v.x], gate_up[v.y], gate_up[v.z], gate_up[v.w])
    + vec4f(bias[c.x], bias[c.y], bias[c.z], bias[c.w]);
  let entry = step.row[row];
  if (entry.scale != 0.0) {
    var delta = vec4f();
    let u = base + 2u * uniforms.columns + part * uniforms.rank;
    var w = entry.slot * uniforms.b_slot_stride + b_offset + columns;
    for (var j = 0u; j < uniforms.rank; j++) {
      delta += gate_up[u + j] * vec4f(b[w.x], b[w.y], b[w.z], b[w.w]);
      w += uniforms.columns;
    }
    sum += entry.scale * delta;
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn gated_backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y + workgroup.z * grid.y;
  let wanted = workgroup.x * EACH * WORKGROUP_SIZE + lane + WORKGROUP_SIZE * vec4u(0u, 1u, 2u, 3u);
  // Columns past the end repeat the last one and are not stored.
  let columns = min(wanted, vec4u(uniforms.columns - 1u));
  let gate = values(row, 0u, columns, uniforms.b_gate);
  let up = values(row, 1u, columns, uniforms.b_up);
  let z = select(gate, SLOPE * gate * (1.0 + CUBIC * gate * gate), GELU);
  let slope = select(vec4f(1.0), SLOPE * (1.0 + 3.0 * CUBIC * gate * gate), GELU);
  // Below −80 the sigmoid is zero in f32; the clamp keeps exp from overflowing.
  let decay = exp(min(-z, vec4f(80.0)));
  let sigmoid = 1.0 / (1.0 + decay);
  let at = row * uniforms.dy_stride + columns;
  let gradient = vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
  // 1 − s, without what the difference would cancel.
  let dgate = gradient * up * sigmoid * (1.0 + gate * (decay * sigmoid) * slope);
  let dup = gradient * gate * sigmoid;
  for (var i = 0u; i < EACH; i++) {
    if (wanted[i] < uniforms.columns) {
      let index = row * uniforms.dgate_up_stride + wanted[i];
      dgate_up[index] = dgate[i];
      dgate_up[index + uniforms.columns] = dup[i];
    }
  }
}
