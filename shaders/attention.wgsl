// Grouped-query attention over the cache, causal, forward.
//   y[r, h] = Σ_p softmax_p(query[r, h]·k[h', p] / √head_dim)·v[h', p],  p ≤ position(r),  h' = h / (heads / kv_heads)
// Workgroup (h, r): 64 cached positions at a time with a running maximum and sum; for the scores a lane takes one
// position, for the values a lane takes every 64th dimension.
// Reference: Milakov & Gimelshein 2018 (online softmax); tests/reference/attention.ts. Wrapper: src/kernels/attention.ts

const WORKGROUP_SIZE = 64u;
const LOWEST = -3.0e38;
const MAX_HEAD_VECTORS = 64u; // head_dim ≤ 256
const MAX_LANE_DIMENSIONS = 4u;

struct Uniforms {
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  capacity: u32,
  y_stride: u32,
  scale: f32,
}

struct Row {
  position: u32,
  slot: u32,
  scale: f32,
}

struct Step {
  rows: u32,
  row: array<Row>,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> step: Step;
@group(0) @binding(2) var<storage, read> query: array<vec4f>; // [rows, heads, head_dim]
@group(0) @binding(3) var<storage, read> cache: array<vec4f>; // [2, kv_heads, capacity, head_dim]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [rows, y_stride]

var<workgroup> q: array<vec4f, MAX_HEAD_VECTORS>;
var<workgroup> scores: array<vec4f, 16>;
var<workgroup> weights: array<vec4f, 16>;
var<workgroup> last: u32;

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = workgroup.x;
  let row = workgroup.y;
  let vectors = uniforms.head_dim / 4u;
  let kv_head = head / (uniforms.heads / uniforms.kv_heads);
  let keys = kv_head * uniforms.capacity * vectors;
  let values = (uniforms.kv_heads + kv_head) * uniforms.capacity * vectors;

  if (lane == 0u) {
    last = step.row[row].position;
  }
  for (var i = lane; i < vectors; i += WORKGROUP_SIZE) {
    q[i] = query[(row * uniforms.heads + head) * vectors + i] * uniforms.scale;
  }
  let final_position = workgroupUniformLoad(&last);

  var highest = LOWEST;
  var total = 0.0;
  var sums = array<f32, MAX_LANE_DIMENSIONS>();
  for (var tile = 0u; tile <= final_position; tile += WORKGROUP_SIZE) {
    let position = tile + lane;
    var score = LOWEST;
    if (position <= final_position) {
      score = 0.0;
      let key = keys + position * vectors;
      for (var i = 0u; i < vectors; i++) {
        score += dot(q[i], cache[key + i]);
      }
    }
    scores[lane / 4u][lane % 4u] = score;
    workgroupBarrier();

    var peaks = scores[0];
    for (var i = 1u; i < 16u; i++) {
      peaks = max(peaks, scores[i]);
    }
    let new_highest = max(highest, max(max(peaks.x, peaks.y), max(peaks.z, peaks.w)));
    let fade = exp(highest - new_highest);
    highest = new_highest;
    weights[lane / 4u][lane % 4u] = select(0.0, exp(score - highest), position <= final_position);
    workgroupBarrier();

    var added = vec4f();
    for (var i = 0u; i < 16u; i++) {
      added += weights[i];
    }
    total = total * fade + added.x + added.y + added.z + added.w;
    let count = min(WORKGROUP_SIZE, final_position + 1u - tile);
    for (var d = 0u; d < MAX_LANE_DIMENSIONS; d++) {
      let dimension = lane + d * WORKGROUP_SIZE;
      if (dimension < uniforms.head_dim) {
        var sum = sums[d] * fade;
        for (var t = 0u; t < count; t++) {
          sum += weights[t / 4u][t % 4u] * cache[values + (tile + t) * vectors + dimension / 4u][dimension % 4u];
        }
        sums[d] = sum;
      }
    }
  }
  for (var d = 0u; d < MAX_LANE_DIMENSIONS; d++) {
    let dimension = lane + d * WORKGROUP_SIZE;
    if (dimension < uniforms.head_dim) {
      y[row * uniforms.y_stride + head * uniforms.head_dim + dimension] = sums[d] / total;
    }
  }
}
