// RMS norms of a projection's output, behind bias and adapter, backward; the gradient of qkv is written.
//   with p as in projection_norm, s = 1/√(mean_group(p²) + epsilon):
//   q, k: dqkv[r, n] = s·gain[n']·dy[r, n] − s³·p[r, n]·mean_group(dy·gain·p);  v: dqkv = dy
// Workgroup (g, r): one group of heads (of queries, then of keys, then of values) of one row; a lane takes four columns at
// a time, WORKGROUP_SIZE apart.
// Reference: Zhang & Sennrich 2019, eq. 4, differentiated; tests/reference/projectionNormBackward.ts.
// Wrapper: src/kernels/projectionNormBackward.ts

override WORKGROUP_SIZE: u32 = 64u; // a power of two
const EACH = 4u; // columns of a lane at a time

struct Uniforms {
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  query_group: u32, // heads that share a norm
  key_group: u32,
  qkv_stride: u32,
  dy_stride: u32,
  dqkv_stride: u32,
  rank: u32,
  b_q: u32,
  b_k: u32,
  b_v: u32,
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
@group(0) @binding(2) var<storage, read> qkv: array<f32>; // [rows, qkv_stride], u after the columns
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [(heads + 2·kv_heads)·head_dim]
@group(0) @binding(4) var<storage, read> b: array<f32>; // [slots or 1, …, rank, out]
@group(0) @binding(5) var<storage, read> gain: array<f32>; // [(query_group + key_group)·head_dim]
@group(0) @binding(6) var<storage, read> dy: array<f32>; // [rows, dy_stride]
@group(0) @binding(7) var<storage, read_write> dqkv: array<f32>; // [rows, dqkv_stride], dq, dk, dv

var<workgroup> partial: array<vec2f, WORKGROUP_SIZE>; // Σ p², Σ dy·gain·p

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

struct HeadGroup {
  first: u32, // head
  heads: u32,
  gain: u32, // of its first column
}

fn group_of(index: u32) -> HeadGroup {
  let query_groups = uniforms.heads / uniforms.query_group;
  if (index < query_groups) {
    return HeadGroup(index * uniforms.query_group, uniforms.query_group, 0u);
  }
  let first = uniforms.heads + (index - query_groups) * uniforms.key_group;
  return HeadGroup(first, uniforms.key_group, uniforms.query_group * uniforms.head_dim);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn projection_norm_backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y + workgroup.z * grid.y;
  let group = group_of(workgroup.x);
  let part = part_of(group.first);
  let start = group.first * uniforms.head_dim;
  let columns = group.heads * uniforms.head_dim;
  let upstream = row * uniforms.dy_stride + start;
  let base = row * uniforms.dqkv_stride + start;

  if (group.first >= uniforms.heads + uniforms.kv_heads) {
    for (var c = lane; c < columns; c += WORKGROUP_SIZE) {
      dqkv[base + c] = dy[upstream + c];
    }
    return;
  }

  var sums = vec2f();
  for (var first = lane; first < columns; first += EACH * WORKGROUP_SIZE) {
    let wanted = first + WORKGROUP_SIZE * vec4u(0u, 1u, 2u, 3u);
    // Columns past the end repeat the last one and do not count.
    let values = part_values(row, part, start + min(wanted, vec4u(columns - 1u)));
    for (var i = 0u; i < EACH; i++) {
      if (wanted[i] < columns) {
        sums += values[i] * vec2f(values[i], dy[upstream + wanted[i]] * gain[group.gain + wanted[i]]);
        // The same lane reads it again below.
        dqkv[base + wanted[i]] = values[i];
      }
    }
  }
  partial[lane] = sums;
  workgroupBarrier();

  for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (lane < stride) {
      partial[lane] += partial[lane + stride];
    }
    workgroupBarrier();
  }

  let scale = inverseSqrt(partial[0].x / f32(columns) + uniforms.epsilon);
  let pull = scale * scale * scale * partial[0].y / f32(columns);
  for (var c = lane; c < columns; c += WORKGROUP_SIZE) {
    dqkv[base + c] = scale * gain[group.gain + c] * dy[upstream + c] - pull * dqkv[base + c];
  }
}
