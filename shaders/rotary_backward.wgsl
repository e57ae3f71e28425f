// Queries, keys and values before rotary positions, backward; gradients are written.
//   q, k: dp[i] = dp'[i]·cos + dp'[i']·sin;  dp[i'] = dp'[i']·cos − dp'[i]·sin  of each pair (i, i') of rotated dimensions;  v: dp = dp'
//   dp'_q = dquery[r, h];  dp'_k = dcache[sequence(r), 0, h, position(r)];  dp'_v = dcache[sequence(r), 1, h, position(r)]
// Workgroup (h, r): one head (queries, then keys, then values) of one row; a lane takes one pair of dimensions.
// Reference: Su et al. 2021, eq. 34, differentiated; tests/reference/rotaryBackward.ts. Wrapper: src/kernels/rotaryBackward.ts

const WORKGROUP_SIZE = 32u;

struct Uniforms {
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  rotary_dim: u32, // of the first dimensions of a head, how many are rotated
  interleaved: u32, // 1 where neighbours are pairs
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
@group(0) @binding(4) var<storage, read> angles: array<vec2f>; // [positions, rotary_dim / 2] cos, sin
@group(0) @binding(5) var<storage, read_write> dqkv: array<f32>; // [rows, dqkv_stride], dq, dk, dv

// The dimensions of a pair: a half of the rotated ones apart, or, where these are interleaved or not rotated, neighbours.
fn pair_of(index: u32) -> vec2u {
  let half = uniforms.rotary_dim / 2u;
  let is_apart = uniforms.interleaved == 0u && index < half;
  return select(vec2u(2u * index, 2u * index + 1u), vec2u(index, index + half), is_apart);
}

fn angle_of(position: u32, index: u32) -> vec2f {
  let half = uniforms.rotary_dim / 2u;
  if (index >= half) {
    return vec2f(1.0, 0.0);
  }
  return angles[position * half + index];
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn rotary_backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = workgroup.x;
  let row = workgroup.y + workgroup.z * grid.y;
  let entry = step.row[row];
  let y = row * uniforms.dqkv_stride + head * uniforms.head_dim;
  // Keys and values of the cache's heads follow each other as the columns of dqkv do.
  let cache_head = entry.sequence * 2u * uniforms.kv_heads + head - uniforms.heads;
  let from_cache = (cache_head * uniforms.capacity + entry.position) * uniforms.head_dim;
  let from_query = (row * uniforms.heads + head) * uniforms.head_dim;

  for (var i = lane; i < uniforms.head_dim / 2u; i += WORKGROUP_SIZE) {
    let pair = pair_of(i);
    var gradient: vec2f;
    if (head < uniforms.heads) {
      gradient = vec2f(dquery[from_query + pair.x], dquery[from_query + pair.y]);
    } else {
      gradient = vec2f(dcache[from_cache + pair.x], dcache[from_cache + pair.y]);
    }
    if (head < uniforms.heads + uniforms.kv_heads) {
      let angle = angle_of(entry.position, i);
      gradient = vec2f(
        gradient.x * angle.x + gradient.y * angle.y,
        gradient.y * angle.x - gradient.x * angle.y,
      );
    }
    dqkv[y + pair.x] = gradient.x;
    dqkv[y + pair.y] = gradient.y;
  }
}
