// Grouped-query attention over the cache, causal, forward.
//   y[r, h] = Σ_p softmax_p(scale·query[r, h]·k[h', p])·v[h', p],  position(r) − window < p ≤ position(r),
//   h' = h / (heads / kv_heads);  k, v of sequence(r)
// Workgroup (h, r): a chunk of cached positions at a time, with a running maximum and sum. For the scores a lane takes
// whole positions; for the values a team of head_dim / 4 lanes does, a lane four dimensions.
// Reference: Milakov & Gimelshein 2018 (online softmax); tests/reference/attention.ts. Wrapper: src/kernels/attention.ts

override HALVES: bool = false; // keys and values are halves, two to a word; else f32
override WORKGROUP_SIZE: u32 = 64u; // at least head_dim / 4
const CHUNK = 1024u; // positions whose weights are in workgroup memory at a time
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

var<workgroup> q: array<vec4f, WORKGROUP_SIZE>;
var<workgroup> weights: array<f32, CHUNK>;
var<workgroup> peak: atomic<u32>;
var<workgroup> partial_total: array<f32, WORKGROUP_SIZE>;
var<workgroup> partial_sum: array<vec4f, WORKGROUP_SIZE>;

// Four dimensions of a key or a value.
fn cached(vector: u32) -> vec4f {
  if (HALVES) {
    let words = cache[vector];
    return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
  }
  return vec4f(bitcast<vec2f>(cache[2u * vector]), bitcast<vec2f>(cache[2u * vector + 1u]));
}

// Unsigned integers in the order of the floats, above 0, so that an atomic maximum is the floats' maximum.
fn ordered(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}

fn from_ordered(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = workgroup.x;
  let row = workgroup.y + workgroup.z * grid.y;
  let positions = step.row[row].position + 1u;
  let vectors = uniforms.head_dim / 4u;
  let kv_head = head / (uniforms.heads / uniforms.kv_heads);
  let key_head = step.row[row].sequence * 2u * uniforms.kv_heads + kv_head;
  let keys = key_head * uniforms.capacity * vectors;
  let values = keys + uniforms.kv_heads * uniforms.capacity * vectors;
  let teams = WORKGROUP_SIZE / vectors;
  let team = lane / vectors;

  if (lane < vectors) {
    q[lane] = query[(row * uniforms.heads + head) * vectors + lane] * uniforms.scale;
  }

  var highest = LOWEST;
  var total = 0.0;
  var sum = vec4f();
  for (var first = positions - min(positions, uniforms.window); first < positions; first += CHUNK) {
    workgroupBarrier();
    let count = min(CHUNK, positions - first);
    var lane_peak = LOWEST;
    for (var t = lane; t < count; t += WORKGROUP_SIZE) {
      let key = keys + (first + t) * vectors;
      var score = 0.0;
      for (var i = 0u; i < vectors; i++) {
        score += dot(q[i], cached(key + i));
      }
      weights[t] = score;
      lane_peak = max(lane_peak, score);
    }
    atomicMax(&peak, ordered(lane_peak));
    workgroupBarrier();

    let new_highest = from_ordered(atomicLoad(&peak));
    for (var t = lane; t < count; t += WORKGROUP_SIZE) {
      weights[t] = exp(weights[t] - new_highest);
    }
    workgroupBarrier();

    let fade = exp(highest - new_highest);
    highest = new_highest;
    total *= fade;
    sum *= fade;
    if (team < teams) {
      for (var t = team; t < count; t += teams) {
        total += weights[t];
        sum += weights[t] * cached(values + (first + t) * vectors + lane % vectors);
      }
    }
  }

  partial_total[lane] = total;
  partial_sum[lane] = sum;
  workgroupBarrier();
  if (lane < vectors) {
    for (var i = 1u; i < teams; i++) {
      total += partial_total[i * vectors + lane];
      sum += partial_sum[i * vectors + lane];
    }
    let result = sum / total;
    let base = row * uniforms.y_stride + head * uniforms.head_dim + 4u * lane;
    for (var i = 0u; i < 4u; i++) {
      y[base + i] = result[i];
    }
  }
}
