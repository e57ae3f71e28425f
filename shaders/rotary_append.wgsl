// Queries, keys and values of new tokens, forward: bias, adapter, rotary positions, append to the cache.
//   p[r, n] = qkv[r, n] + bias[n] + scale(r)·Σ_j u[r, part, j]·B[part][j, n]
//   q, k: p'[i] = p[i]·cos − p[i + half]·sin;  p'[i + half] = p[i + half]·cos + p[i]·sin;  v: p' = p
//   query[r, h] = p'_q;  cache[s, 0, h, position(r)] = p'_k;  cache[s, 1, h, position(r)] = p'_v,  s = sequence(r)
// Workgroup (h, r): one head (queries, then keys, then values) of one row; a lane takes one pair of dimensions.
// Reference: paper eq. 7; Su et al. 2021, eq. 34; tests/reference/rotaryAppend.ts. Wrapper: src/kernels/rotaryAppend.ts

const WORKGROUP_SIZE = 32u;

struct Uniforms {
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  capacity: u32,
  qkv_stride: u32,
  rank: u32,
  b_q: u32,
  b_k: u32,
  b_v: u32,
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
@group(0) @binding(2) var<storage, read> qkv: array<f32>; // [rows, qkv_stride]
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [(heads + 2·kv_heads)·head_dim]
@group(0) @binding(4) var<storage, read> b: array<f32>; // [slots or 1, …, rank, out]
@group(0) @binding(5) var<storage, read> angles: array<vec2f>; // [positions, head_dim / 2] cos, sin
@group(0) @binding(6) var<storage, read_write> query: array<f32>; // [rows, heads·head_dim]
@group(0) @binding(7) var<storage, read_write> cache: array<f32>; // [sequences, 2, kv_heads, capacity, head_dim]

struct Part {
  first: u32, // column of the part in qkv
  width: u32,
  u: u32, // column of its u
  b: u32, // offset of its B in a slot
}

fn value(row: u32, part: Part, column: u32) -> f32 {
  let base = row * uniforms.qkv_stride;
  var sum = qkv[base + part.first + column] + bias[part.first + column];
  let entry = step.row[row];
  if (entry.scale != 0.0) {
    var delta = 0.0;
    let b_base = entry.slot * uniforms.b_slot_stride + part.b + column;
    for (var j = 0u; j < uniforms.rank; j++) {
      delta += qkv[base + part.u + j] * b[b_base + j * part.width];
    }
    sum += entry.scale * delta;
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn rotary_append(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y;
  let position = step.row[row].position;
  let half = uniforms.head_dim / 2u;
  let q_width = uniforms.heads * uniforms.head_dim;
  let kv_width = uniforms.kv_heads * uniforms.head_dim;
  let u = q_width + 2u * kv_width;
  let head_stride = uniforms.capacity * uniforms.head_dim;
  let sequence_first = step.row[row].sequence * 2u * uniforms.kv_heads * head_stride;
  let kv_first = sequence_first + position * uniforms.head_dim;

  for (var i = lane; i < half; i += WORKGROUP_SIZE) {
    let angle = angles[position * half + i];
    if (workgroup.x < uniforms.heads) {
      let part = Part(0u, q_width, u, uniforms.b_q);
      let column = workgroup.x * uniforms.head_dim + i;
      let first = value(row, part, column);
      let second = value(row, part, column + half);
      let y = row * q_width + column;
      query[y] = first * angle.x - second * angle.y;
      query[y + half] = second * angle.x + first * angle.y;
    } else if (workgroup.x < uniforms.heads + uniforms.kv_heads) {
      let head = workgroup.x - uniforms.heads;
      let part = Part(q_width, kv_width, u + uniforms.rank, uniforms.b_k);
      let column = head * uniforms.head_dim + i;
      let first = value(row, part, column);
      let second = value(row, part, column + half);
      let y = head * head_stride + kv_first + i;
      cache[y] = first * angle.x - second * angle.y;
      cache[y + half] = second * angle.x + first * angle.y;
    } else {
      let head = workgroup.x - uniforms.heads - uniforms.kv_heads;
      let part = Part(q_width + kv_width, kv_width, u + 2u * uniforms.rank, uniforms.b_v);
      let column = head * uniforms.head_dim + i;
      let y = (uniforms.kv_heads + head) * head_stride + kv_first + i;
      cache[y] = value(row, part, column);
      cache[y + half] = value(row, part, column + half);
    }
  }
}
