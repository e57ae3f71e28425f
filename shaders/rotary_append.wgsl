// Queries, keys and values of new tokens, forward: bias, adapter, rotary positions, append to the cache.
//   p[r, n] = qkv[r, n] + bias[n] + scale(r)·Σ_j u[r, part, j]·B[part][j, n]
//   q, k: p'[i] = p[i]·cos − p[i']·sin;  p'[i'] = p[i']·cos + p[i]·sin  of each pair (i, i') of rotated dimensions;  v: p' = p
//   query[r, h] = p'_q;  cache[s, 0, h, position(r)] = p'_k;  cache[s, 1, h, position(r)] = p'_v,  s = sequence(r)
// Workgroup (g, r): of one row and all heads (queries, then keys, then values) a lane takes two neighbouring pairs of
// dimensions of a head. Halves are whole words where these pairs lie apart both or not at all.
// Reference: paper eq. 7; Su et al. 2021, eq. 34; tests/reference/rotaryAppend.ts. Wrapper: src/kernels/rotaryAppend.ts

override HALVES: bool = false; // keys and values are halves, two to a word; else f32
const WORKGROUP_SIZE = 32u;
const LARGEST_HALF = 65504.0;

struct Uniforms {
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  rotary_dim: u32, // of the first dimensions of a head, how many are rotated
  interleaved: u32, // 1 where neighbours are pairs
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
@group(0) @binding(5) var<storage, read> angles: array<vec2f>; // [positions, rotary_dim / 2] cos, sin
@group(0) @binding(6) var<storage, read_write> query: array<f32>; // [rows, heads·head_dim]
@group(0) @binding(7) var<storage, read_write> cache: array<u32>; // [sequences, 2, kv_heads, capacity, head_dim]

struct QkvPart {
  first: u32, // column of the part in qkv
  width: u32,
  u: u32, // column of its u
  b: u32, // offset of its B in a slot
}

fn part_of(head: u32) -> QkvPart {
  let q_width = uniforms.heads * uniforms.head_dim;
  let kv_width = uniforms.kv_heads * uniforms.head_dim;
  let u = q_width + 2u * kv_width;
  if (head < uniforms.heads) {
    return QkvPart(0u, q_width, u, uniforms.b_q);
  }
  if (head < uniforms.heads + uniforms.kv_heads) {
    return QkvPart(q_width, kv_width, u + uniforms.rank, uniforms.b_k);
  }
  return QkvPart(q_width + kv_width, kv_width, u + 2u * uniforms.rank, uniforms.b_v);
}

// The values of four columns of qkv, all of one part: what is read of u serves all four.
fn part_values(row: u32, part: QkvPart, columns: vec4u) -> vec4f {
  let base = row * uniforms.qkv_stride;
  let v = base + columns;
  var sum = vec4f(qkv[v.x], qkv[v.y], qkv[v.z], qkv[v.w])
    + vec4f(bias[columns.x], bias[columns.y], bias[columns.z], bias[columns.w]);
  let entry = step.row[row];
  if (entry.scale != 0.0) {
    var delta = vec4f();
    var w = entry.slot * uniforms.b_slot_stride + part.b + columns - part.first;
    for (var j = 0u; j < uniforms.rank; j++) {
      delta += qkv[base + part.u + j] * vec4f(b[w.x], b[w.y], b[w.z], b[w.w]);
      w += part.width;
    }
    sum += entry.scale * delta;
  }
  return sum;
}

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
fn rotary_append(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y + workgroup.z * grid.y;
  let position = step.row[row].position;
  let quarter = uniforms.head_dim / 4u;
  let index = workgroup.x * WORKGROUP_SIZE + lane;
  let head = index / quarter;
  if (head >= uniforms.heads + 2u * uniforms.kv_heads) {
    return;
  }
  let i = index % quarter;
  let first = pair_of(2u * i);
  let second = pair_of(2u * i + 1u);
  let dimensions = vec4u(first.x, second.x, first.y, second.y);
  let v = part_values(row, part_of(head), head * uniforms.head_dim + dimensions);

  let first_angle = angle_of(position, 2u * i);
  let second_angle = angle_of(position, 2u * i + 1u);
  let cosines = vec2f(first_angle.x, second_angle.x);
  let sines = vec2f(first_angle.y, second_angle.y);
  let turned = vec4f(v.xy * cosines - v.zw * sines, v.zw * cosines + v.xy * sines);

  if (head < uniforms.heads) {
    let y = (row * uniforms.heads + head) * uniforms.head_dim + dimensions;
    for (var k = 0u; k < 4u; k++) {
      query[y[k]] = turned[k];
    }
  } else {
    // A sequence holds the keys of all heads, then the values of all.
    let kv_head = head - uniforms.heads;
    let place = step.row[row].sequence * 2u * uniforms.kv_heads + kv_head;
    let y = (place * uniforms.capacity + position) * uniforms.head_dim + dimensions;
    let stored = select(turned, v, kv_head >= uniforms.kv_heads);
    if (HALVES) {
      let is_apart = second.x == first.x + 1u;
      let rounded = clamp(select(stored.xzyw, stored, is_apart), vec4f(-LARGEST_HALF), vec4f(LARGEST_HALF));
      cache[y.x / 2u] = pack2x16float(rounded.xy);
      cache[select(y.y, y.z, is_apart) / 2u] = pack2x16float(rounded.zw);
    } else {
      for (var k = 0u; k < 4u; k++) {
        cache[y[k]] = bitcast<u32>(stored[k]);
      }
    }
  }
}
