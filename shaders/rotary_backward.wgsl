// Queries, keys and values before rotary positions, backward; gradients are written.
//   q, k: dp[i] = dp'[i]·cos + dp'[i + half]·sin;  dp[i + half] = dp'[i + half]·cos − dp'[i]·sin;  v: dp = dp'
//   dp'_q = dquery[r, h];  dp'_k = dcache[sequence(r), 0, h, position(r)];  dp'_v = dcache[sequence(r), 1, h, position(r)]
// Workgroup (h, r): one head (queries, then keys, then values) of one row; a lane takes one pair of dimensions.
// Reference: Su et al. 2021, eq. 34, differentiated; tests/reference/rotaryBackward.ts. Wrapper: src/kernels/rotaryBackward.ts

const WORKGROUP_SIZE = 32u;

struct Uniforms {
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  capacity: u32,
  dqkv_stride: u32,
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
@group(0) @binding(2) var<storage, read> dquery: array<f32>; // [rows, heads·head_dim]
@group(0) @binding(3) var<storage, read> dcache: array<f32>; // [sequences, 2, kv_heads, capacity, head_dim]
@group(0) @binding(4) var<storage, read> angles: array<vec2f>; // [positions, head_dim / 2] cos, sin
@group(0) @binding(5) var<storage, read_write> dqkv: array<f32>; // [rows, dqkv_stride], dq, dk, dv

@compute @workgroup_size(WORKGROUP_SIZE)
fn rotary_backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = workgroup.x;
  let row = workgroup.y;
  let entry = step.row[row];
  let half = uniforms.head_dim / 2u;
  let y = row * uniforms.dqkv_stride + head * uniforms.head_dim;
  // Keys and values of the cache's heads follow each other as the columns of dqkv do.
  let cache_head = entry.sequence * 2u * uniforms.kv_heads + head - uniforms.heads;
  let from_cache = (cache_head * uniforms.capacity + entry.position) * uniforms.head_dim;
  let from_query = (row * uniforms.heads + head) * uniforms.head_dim;

  for (var i = lane; i < half; i += WORKGROUP_SIZE) {
    var gradient: vec2f;
    if (head < uniforms.heads) {
      gradient = vec2f(dquery[from_query + i], dquery[from_query + i + half]);
    } else {
      gradient = vec2f(dcache[from_cache + i], dcache[from_cache + i + half]);
    }
    if (head < uniforms.heads + uniforms.kv_heads) {
      let angle = angles[entry.position * half + i];
      gradient = vec2f(
        gradient.x * angle.x + gradient.y * angle.y,
        gradient.y * angle.x - gradient.x * angle.y,
      );
    }
    dqkv[y + i] = gradient.x;
    dqkv[y + i + half] = gradient.y;
  }
}
