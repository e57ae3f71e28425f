// Attention, backward to the queries: the equations of attention_backward_query.wgsl, without workgroup memory.
//   P[r, p] = e^(scale·query[r, h]·k[p] − L[r]),  L[r] = log Σ_p e^(scale·query[r, h]·k[p]),
//   position(r) − window < p ≤ position(r)
//   dquery[r, h] = scale·Σ_p P[r, p]·(dy[r, h]·v[p] − D[r])·k[p],  D[r] = dy[r, h]·y[r, h];  stats[r, h] = (L[r], D[r])
// A lane takes one head of 4 neighbouring rows, those of one sequence at a time, against 4 positions at a time: once over
// all positions for L, once for the gradient, whose sums grow in dquery itself. Processors that emulate a GPU pay more for
// barriers and workgroup memory than for reading twice.
// Reference: Dao et al. 2022 (FlashAttention), algorithm 4; tests/reference/attentionBackward.ts.
// Wrapper: src/kernels/attentionBackwardQuery.ts

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
  dy_stride: u32,
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
@group(0) @binding(3) var<storage, read> cache: array<vec4f>; // [sequences, 2, kv_heads, capacity, head_dim]
@group(0) @binding(4) var<storage, read> y: array<vec4f>; // [rows, y_stride]
@group(0) @binding(5) var<storage, read> dy: array<vec4f>; // [rows, dy_stride]
@group(0) @binding(6) var<storage, read_write> dquery: array<vec4f>; // [rows, heads, head_dim]
@group(0) @binding(7) var<storage, read_write> stats: array<vec2f>; // [rows, heads]

// Four rows against four positions: column j holds the scores of position j.
fn scores(rows: vec4u, keys: vec4u) -> mat4x4f {
  var sums = mat4x4f();
  for (var v = 0u; v < uniforms.head_dim / 4u; v++) {
    let q = mat4x4f(query[rows.x + v], query[rows.y + v], query[rows.z + v], query[rows.w + v]);
    sums += mat4x4f(cache[keys.x + v] * q, cache[keys.y + v] * q, cache[keys.z + v] * q, cache[keys.w + v] * q);
  }
  return sums * uniforms.scale;
}

// The gradients of four rows against the values of four positions, likewise.
fn value_products(rows: vec4u, values: vec4u) -> mat4x4f {
  var sums = mat4x4f();
  for (var v = 0u; v < uniforms.head_dim / 4u; v++) {
    let d = mat4x4f(dy[rows.x + v], dy[rows.y + v], dy[rows.z + v], dy[rows.w + v]);
    sums += mat4x4f(cache[values.x + v] * d, cache[values.y + v] * d, cache[values.z + v] * d, cache[values.w + v] * d);
  }
  return sums;
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
fn softmax(rows: vec4u, keys: u32, last: vec4u, begin: u32, positions: u32) -> Softmax {
  let vectors = uniforms.head_dim / 4u;
  var highest = vec4f(LOWEST);
  var total = vec4f();
  for (var p = begin; p < positions; p += EACH) {
    let s = scores(rows, keys + min(p + OFFSETS, vec4u(positions - 1u)) * vectors);
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

fn output_product_at(outputs: u32, gradients: u32) -> f32 {
  var sum = 0.0;
  for (var v = 0u; v < uniforms.head_dim / 4u; v++) {
    sum += dot(dy[gradients + v], y[outputs + v]);
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention_backward_query_direct(
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
    let outputs = r * (uniforms.y_stride / 4u) + head * vectors;
    let gradients = r * (uniforms.dy_stride / 4u) + head * vectors;
    let sums = softmax(rows, keys, last, begin, positions);
    let normaliser = sums.highest + log(sums.total);
    let products = vec4f(
      output_product_at(outputs.x, gradients.x),
      output_product_at(outputs.y, gradients.y),
      output_product_at(outputs.z, gradients.z),
      output_product_at(outputs.w, gradients.w),
    );
    for (var i = 0u; row + i < stop; i++) {
      stats[(row + i) * uniforms.heads + head] = vec2f(normaliser[i], products[i]);
    }
    for (var p = begin; p < positions; p += EACH) {
      let at = min(p + OFFSETS, vec4u(positions - 1u)) * vectors;
      let s = scores(rows, keys + at);
      let d = value_products(gradients, values + at);
      // Column i holds the gradients of the scores of row i.
      let ds = uniforms.scale * transpose(mat4x4f(
        select(vec4f(), exp(s[0] - normaliser) * (d[0] - products), seen(p, last)),
        select(vec4f(), exp(s[1] - normaliser) * (d[1] - products), seen(p + 1u, last)),
        select(vec4f(), exp(s[2] - normaliser) * (d[2] - products), seen(p + 2u, last)),
        select(vec4f(), exp(s[3] - normaliser) * (d[3] - products), seen(p + 3u, last)),
      ));
      let from_keys = keys + at;
      for (var v = 0u; v < vectors; v++) {
        let columns = mat4x4f(
          cache[from_keys.x + v],
          cache[from_keys.y + v],
          cache[from_keys.z + v],
          cache[from_keys.w + v],
        );
        let added = columns * ds;
        for (var i = 0u; row + i < stop; i++) {
          let to = ((row + i) * uniforms.heads + head) * vectors + v;
          dquery[to] = select(dquery[to], vec4f(), p == begin) + added[i];
        }
      }
    }
    row = stop;
  }
}
