// Grouped-query attention over the cache, causal, forward: the equation of attention.wgsl, without workgroup memory.
//   y[r, h] = Σ_p softmax_p(scale·query[r, h]·k[h', p])·v[h', p],  position(r) − window < p ≤ position(r),
//   h' = h / (heads / kv_heads);  k, v of sequence(r)
// A lane takes one head of 4 neighbouring rows, those of one sequence at a time, against 4 positions at a time: once over
// all positions for the softmax's sums, once for the values, which add up in y itself. Processors that emulate a GPU pay
// more for barriers and workgroup memory than for reading twice.
// Reference: Milakov & Gimelshein 2018 (online softmax); tests/reference/attention.ts. Wrapper: src/kernels/attention.ts

override HALVES: bool = false; // keys and values are halves, two to a word; else f32
const EACH = 4u; // rows of a lane, and positions at a time
const WORKGROUP_SIZE = 32u;
const LOWEST = -3.0e38;
const OFFSETS = vec4u(0u, 1u, 2u, 3u);

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

// Four dimensions of a key or a value.
fn cached(vector: u32) -> vec4f {
  if (HALVES) {
    let words = cache[vector];
    return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
  }
  return vec4f(bitcast<vec2f>(cache[2u * vector]), bitcast<vec2f>(cache[2u * vector + 1u]));
}

// Four rows against four positions: column j holds the scores of position j.
fn cached_scores(rows: vec4u, keys: vec4u) -> mat4x4f {
  var sums = mat4x4f();
  for (var v = 0u; v < uniforms.head_dim / 4u; v++) {
    let q = mat4x4f(query[rows.x + v], query[rows.y + v], query[rows.z + v], query[rows.w + v]);
    sums += mat4x4f(cached(keys.x + v) * q, cached(keys.y + v) * q, cached(keys.z + v) * q, cached(keys.w + v) * q);
  }
  return sums * uniforms.scale;
}

struct Softmax {
  highest: vec4f,
  total: vec4f,
}

// Which of the four rows see a position.
fn seen(position: u32, last: vec4u) -> vec4<bool> {
  return (vec4u(position) <= last) & (last - position < vec4u(uniforms.window));
}

// Maximum of the scores that each of four rows sees, and Σ e^(score − maximum).
fn cached_softmax(rows: vec4u, keys: u32, last: vec4u, begin: u32, positions: u32) -> Softmax {
  let vectors = uniforms.head_dim / 4u;
  var highest = vec4f(LOWEST);
  var total = vec4f();
  for (var p = begin; p < positions; p += EACH) {
    let s = cached_scores(rows, keys + min(p + OFFSETS, vec4u(positions - 1u)) * vectors);
    let s0 = select(vec4f(LOWEST), s[0], seen(p, last));
    let s1 = select(vec4f(LOWEST), s[1], seen(p + 1u, last));
    let s2 = select(vec4f(LOWEST), s[2], seen(p + 2u, last));
    let s3 = select(vec4f(LOWEST), s[3], seen(p + 3u, last));
    let peak = max(highest, max(max(s0, s1), max(s2, s3)));
    // What counts before a row sees anything fades to nothing at the first position that it sees.
    total = total * exp(highest - peak) + exp(s0 - peak) + exp(s1 - peak) + exp(s2 - peak) + exp(s3 - peak);
    highest = peak;
  }
  return Softmax(highest, total);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (workgroup.x + workgroup.y * grid.x) * WORKGROUP_SIZE + lane;
  let head = index % uniforms.heads;
  let first_row = index / uniforms.heads * EACH;
  let end = min(first_row + EACH, step.rows);
  let vectors = uniforms.head_dim / 4u;
  let kv_head = head / (uniforms.heads / uniforms.kv_heads);
  for (var row = first_row; row < end; ) {
    let sequence = step.row[row].sequence;
    var stop = row + 1u;
    while (stop < end && step.row[stop].sequence == sequence) {
      stop++;
    }
    // Rows past the end repeat the last one and are not stored.
    let r = min(row + OFFSETS, vec4u(stop - 1u));
    let last = vec4u(
      step.row[r.x].position,
      step.row[r.y].position,
      step.row[r.z].position,
      step.row[r.w].position,
    );
    let positions = max(max(last.x, last.y), max(last.z, last.w)) + 1u;
    let earliest = min(min(last.x, last.y), min(last.z, last.w)) + 1u;
    let begin = earliest - min(earliest, uniforms.window);
    let keys = (sequence * 2u * uniforms.kv_heads + kv_head) * uniforms.capacity * vectors;
    let values = keys + uniforms.kv_heads * uniforms.capacity * vectors;
    let rows = (r * uniforms.heads + head) * vectors;
    let sums = cached_softmax(rows, keys, last, begin, positions);
    for (var p = begin; p < positions; p += EACH) {
      let at = min(p + OFFSETS, vec4u(positions - 1u)) * vectors;
      let s = cached_scores(rows, keys + at);
      // Column i holds the weights of row i.
      let weights = transpose(mat4x4f(
        select(vec4f(), exp(s[0] - sums.highest) / sums.total, seen(p, last)),
        select(vec4f(), exp(s[1] - sums.highest) / sums.total, seen(p + 1u, last)),
        select(vec4f(), exp(s[2] - sums.highest) / sums.total, seen(p + 2u, last)),
        select(vec4f(), exp(s[3] - sums.highest) / sums.total, seen(p + 3u, last)),
      ));
      let from_values = values + at;
      for (var v = 0u; v < vectors; v++) {
        let columns = mat4x4f(
          cached(from_values.x + v),
          cached(from_values.y + v),
          cached(from_values.z + v),
          cached(from_values.w + v),
        );
        let added = columns * weights;
        for (var i = 0u; row + i < stop; i++) {
          let to = (row + i) * uniforms.y_stride + head * uniforms.head_dim + 4u * v;
          for (var j = 0u; j < 4u; j++) {
            y[to + j] = select(y[to + j], 0.0, p == begin) + added[i][j];
          }
        }
      }
    }
    row = stop;
  }
}
