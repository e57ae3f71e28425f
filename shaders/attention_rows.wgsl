// Grouped-query attention of many rows of one sequence, causal, forward: the equation of attention.wgsl.
//   y[r, h] = Σ_p softmax_p(scale·query[r, h]·k[h', p])·v[h', p],  position(r) − window < p ≤ position(r),
//   h' = h / (heads / kv_heads);  k, v of sequence(r)
// Workgroup (h, g): four neighbouring rows of one head, so that every key and value is read once for all four; a chunk of
// cached positions at a time, with running maxima and sums. For the scores a lane takes whole positions; for the values a
// team of head_dim / 4 lanes does, a lane four dimensions.
// Reference: Milakov & Gimelshein 2018 (online softmax); tests/reference/attention.ts. Wrapper: src/kernels/attention.ts

override HALVES: bool = false; // keys and values are halves, two to a word; else f32
override WORKGROUP_SIZE: u32 = 64u; // at least head_dim / 4
const ROWS = 4u;
const MAX_VECTORS = 64u; // of a head
const CHUNK = 256u; // positions whose weights are in workgroup memory at a time
const LOWEST = -3.0e38;

struct Uniforms {
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  capacity: u32,
  y_stride: u32,
  scale: f32,
  window: u32,
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
@group(0) @binding(2) var<storage, read> query: array<vec4f>; // [rows, heads, head_dim]
@group(0) @binding(3) var<storage, read> cache: array<vec2u>; // [sequences, 2, kv_heads, capacity, head_dim]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [rows, y_stride]

var<workgroup> q: array<mat4x4f, MAX_VECTORS>; // four dimensions of the four rows
var<workgroup> weights: array<vec4f, CHUNK>; // of a position, one for each row
var<workgroup> partial: array<vec4f, WORKGROUP_SIZE>;
var<workgroup> partial_sums: array<mat4x4f, WORKGROUP_SIZE>;

// Four dimensions of a key or a value.
fn cached(vector: u32) -> vec4f {
  if (HALVES) {
    let words = cache[vector];
    return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
  }
  return vec4f(bitcast<vec2f>(cache[2u * vector]), bitcast<vec2f>(cache[2u * vector + 1u]));
}

// Which of the four rows see a position.
fn seen(position: u32, last: vec4u) -> vec4<bool> {
  return (vec4u(position) <= last) & (last - position < vec4u(uniforms.window));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = workgroup.x;
  let first_row = (workgroup.y + workgroup.z * grid.y) * ROWS;
  // Rows past the end repeat the last one and are not stored.
  let row = min(first_row + vec4u(0u, 1u, 2u, 3u), vec4u(step.rows - 1u));
  let last = vec4u(
    step.row[row.x].position,
    step.row[row.y].position,
    step.row[row.z].position,
    step.row[row.w].position,
  );
  let positions = max(max(last.x, last.y), max(last.z, last.w)) + 1u;
  let earliest = min(min(last.x, last.y), min(last.z, last.w)) + 1u;
  let vectors = uniforms.head_dim / 4u;
  let kv_head = head / (uniforms.heads / uniforms.kv_heads);
  let key_head = step.row[row.x].sequence * 2u * uniforms.kv_heads + kv_head;
  let keys = key_head * uniforms.capacity * vectors;
  let values = keys + uniforms.kv_heads * uniforms.capacity * vectors;
  let teams = WORKGROUP_SIZE / vectors;
  let team = lane / vectors;

  if (lane < vectors) {
    let base = (row * uniforms.heads + head) * vectors + lane;
    q[lane] = mat4x4f(query[base.x], query[base.y], query[base.z], query[base.w]) * uniforms.scale;
  }

  var highest = vec4f(LOWEST);
  var total = vec4f();
  var sums = mat4x4f();
  for (var first = earliest - min(earliest, uniforms.window); first < positions; first += CHUNK) {
    workgroupBarrier();
    let count = min(CHUNK, positions - first);
    var lane_peak = vec4f(LOWEST);
    for (var t = lane; t < count; t += WORKGROUP_SIZE) {
      let key = keys + (first + t) * vectors;
      var scores = vec4f();
      for (var i = 0u; i < vectors; i++) {
        scores += cached(key + i) * q[i];
      }
      scores = select(vec4f(LOWEST), scores, seen(first + t, last));
      weights[t] = scores;
      lane_peak = max(lane_peak, scores);
    }
    partial[lane] = lane_peak;
    workgroupBarrier();

    var new_highest = highest;
    for (var i = 0u; i < WORKGROUP_SIZE; i++) {
      new_highest = max(new_highest, partial[i]);
    }
    for (var t = lane; t < count; t += WORKGROUP_SIZE) {
      weights[t] = select(vec4f(), exp(weights[t] - new_highest), seen(first + t, last));
    }
    workgroupBarrier();

    let fade = exp(highest - new_highest);
    highest = new_highest;
    total *= fade;
    sums = mat4x4f(sums[0] * fade.x, sums[1] * fade.y, sums[2] * fade.z, sums[3] * fade.w);
    if (team < teams) {
      for (var t = team; t < count; t += teams) {
        let weight = weights[t];
        let value = cached(values + (first + t) * vectors + lane % vectors);
        total += weight;
        sums += mat4x4f(weight.x * value, weight.y * value, weight.z * value, weight.w * value);
      }
    }
  }

  // The maxima that stood here were last read in front of the barrier before the values.
  partial[lane] = total;
  partial_sums[lane] = sums;
  workgroupBarrier();
  if (lane < vectors) {
    for (var i = 1u; i < teams; i++) {
      total += partial[i * vectors + lane];
      sums += partial_sums[i * vectors + lane];
    }
    for (var r = 0u; r < ROWS; r++) {
      if (first_row + r < step.rows) {
        let result = sums[r] / total[r];
        let base = row[r] * uniforms.y_stride + head * uniforms.head_dim + 4u * lane;
        for (var i = 0u; i < 4u; i++) {
          y[base + i] = result[i];
        }
      }
    }
  }
}
