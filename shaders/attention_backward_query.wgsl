// Attention, backward to the queries; gradients are written, with what the other half of the backward pass needs.
//   P[r, p] = e^(scale·query[r, h]·k[p] − L[r]),  L[r] = log Σ_p e^(scale·query[r, h]·k[p]),
//   position(r) − window < p ≤ position(r)
//   dquery[r, h] = scale·Σ_p P[r, p]·(dy[r, h]·v[p] − D[r])·k[p],  D[r] = dy[r, h]·y[r, h];  stats[r, h] = (L[r], D[r])
// Workgroup (h, t): 32 rows against 32 positions at a time, 64 lanes with 4 × 4 each; once over all positions for L, once
// for the gradient, whose sums grow in dquery itself. Rows of several sequences may share a tile.
// Reference: Dao et al. 2022 (FlashAttention), algorithm 4; tests/reference/attentionBackward.ts.
// Wrapper: src/kernels/attentionBackwardQuery.ts

const TILE = 32u; // rows, positions and dimensions of a tile
const QUADS = 8u; // of a tile's side
const PITCH = 9u; // of a line of quads: odd, so that lanes that store one under the other meet different banks
const WORKGROUP_SIZE = 64u;
const LOWEST = -3.0e38;

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

var<workgroup> left_tile: array<vec4f, 288>; // [dimension or position, quad of rows], PITCH apart
var<workgroup> right_tile: array<vec4f, 288>; // [dimension, quad of positions] or [position, quad of dimensions]

// Which head and rows a workgroup is at, for the functions that read one vector and give zero outside.
struct Place {
  head: u32,
  kv_head: u32,
  sequence: u32,
  rows_end: u32,
  positions_end: u32,
}

var<private> place: Place;

fn cache_at(half: u32, position: u32, vector: u32) -> vec4f {
  let vectors = uniforms.head_dim / 4u;
  if (position >= place.positions_end || vector >= vectors) {
    return vec4f();
  }
  let line = ((place.sequence * 2u + half) * uniforms.kv_heads + place.kv_head) * uniforms.capacity + position;
  return cache[line * vectors + vector];
}

fn query_at(row: u32, vector: u32) -> vec4f {
  let vectors = uniforms.head_dim / 4u;
  if (row >= place.rows_end || vector >= vectors) {
    return vec4f();
  }
  return query[(row * uniforms.heads + place.head) * vectors + vector];
}

fn dy_at(row: u32, vector: u32) -> vec4f {
  let vectors = uniforms.head_dim / 4u;
  if (row >= place.rows_end || vector >= vectors) {
    return vec4f();
  }
  return dy[row * uniforms.dy_stride / 4u + place.head * vectors + vector];
}

fn add_product(sums: ptr<function, array<vec4f, 4>>, lane: u32) {
  for (var i = 0u; i < TILE; i++) {
    let left = left_tile[i * PITCH + lane / QUADS];
    let right = right_tile[i * PITCH + lane % QUADS];
    (*sums)[0] += left.x * right;
    (*sums)[1] += left.y * right;
    (*sums)[2] += left.z * right;
    (*sums)[3] += left.w * right;
  }
}

fn put_turned(lane: u32, left: mat4x4f, right: mat4x4f) {
  let first = lane % QUADS * 4u * PITCH + lane / QUADS;
  let turned_left = transpose(left);
  let turned_right = transpose(right);
  for (var i = 0u; i < 4u; i++) {
    left_tile[first + i * PITCH] = turned_left[i];
    right_tile[first + i * PITCH] = turned_right[i];
  }
}

// Queries against keys, 32 rows × 32 positions; a lane gets 4 × 4 of them.
fn add_scores(sums: ptr<function, array<vec4f, 4>>, first_row: u32, first_position: u32, lane: u32) {
  let r = first_row + 4u * (lane / QUADS);
  let p = first_position + 4u * (lane / QUADS);
  for (var c = 0u; c < uniforms.head_dim / 4u; c += QUADS) {
    let v = c + lane % QUADS;
    let rows = mat4x4f(query_at(r, v), query_at(r + 1u, v), query_at(r + 2u, v), query_at(r + 3u, v));
    let keys = mat4x4f(cache_at(0u, p, v), cache_at(0u, p + 1u, v), cache_at(0u, p + 2u, v), cache_at(0u, p + 3u, v));
    put_turned(lane, rows, keys);
    workgroupBarrier();
    add_product(sums, lane);
    workgroupBarrier();
  }
}

// Output gradients against values, likewise.
fn add_value_products(sums: ptr<function, array<vec4f, 4>>, first_row: u32, first_position: u32, lane: u32) {
  let r = first_row + 4u * (lane / QUADS);
  let p = first_position + 4u * (lane / QUADS);
  for (var c = 0u; c < uniforms.head_dim / 4u; c += QUADS) {
    let v = c + lane % QUADS;
    let rows = mat4x4f(dy_at(r, v), dy_at(r + 1u, v), dy_at(r + 2u, v), dy_at(r + 3u, v));
    let values = mat4x4f(cache_at(1u, p, v), cache_at(1u, p + 1u, v), cache_at(1u, p + 2u, v), cache_at(1u, p + 3u, v));
    put_turned(lane, rows, values);
    workgroupBarrier();
    add_product(sums, lane);
    workgroupBarrier();
  }
}

// Rows from `start` on that belong to the same sequence end here.
fn segment_end(start: u32, tile_end: u32) -> u32 {
  var end = start + 1u;
  while (end < tile_end && step.row[end].sequence == step.row[start].sequence) {
    end++;
  }
  return end;
}

// How many positions each of the four rows of a lane sees in the sequence of rows start to end.
fn visible(first_row: u32, start: u32, end: u32, lane: u32) -> vec4u {
  var counts = vec4u();
  for (var i = 0u; i < 4u; i++) {
    let row = first_row + 4u * (lane / QUADS) + i;
    if (row >= start && row < end) {
      counts[i] = step.row[row].position + 1u;
    }
  }
  return counts;
}

// Which of four positions a row sees that sees so many.
fn positions_seen(position: vec4u, count: u32) -> vec4<bool> {
  return (position < vec4u(count)) & (count - position <= vec4u(uniforms.window));
}

// The first tile that a row of those from `start` on sees.
fn first_tile(start: u32) -> u32 {
  let count = step.row[start].position + 1u;
  return (count - min(count, uniforms.window)) / TILE * TILE;
}

fn output_product(row: u32) -> f32 {
  let vectors = uniforms.head_dim / 4u;
  var sum = 0.0;
  for (var v = 0u; v < vectors; v++) {
    sum += dot(dy_at(row, v), y[row * uniforms.y_stride / 4u + place.head * vectors + v]);
  }
  return sum;
}

// Over the eight lanes of the same rows: log Σ e^score from each one's maximum and sum.
fn merge(highest: vec4f, total: vec4f, lane: u32) -> vec4f {
  left_tile[lane] = highest;
  right_tile[lane] = total;
  workgroupBarrier();
  let first = lane / QUADS * QUADS;
  var peak = vec4f(LOWEST);
  for (var i = 0u; i < QUADS; i++) {
    peak = max(peak, left_tile[first + i]);
  }
  var sum = vec4f();
  for (var i = 0u; i < QUADS; i++) {
    sum += right_tile[first + i] * exp(left_tile[first + i] - peak);
  }
  workgroupBarrier();
  return peak + log(sum);
}

fn add_dquery(first_row: u32, first_position: u32, is_first: bool, gradients: mat4x4f, lane: u32) {
  let vectors = uniforms.head_dim / 4u;
  let line = lane % QUADS * 4u * PITCH + lane / QUADS;
  let turned = transpose(gradients);
  for (var i = 0u; i < 4u; i++) {
    left_tile[line + i * PITCH] = turned[i];
  }
  for (var c = 0u; c < vectors; c += QUADS) {
    let v = c + lane % QUADS;
    for (var i = 0u; i < 4u; i++) {
      let p = lane / QUADS + i * QUADS;
      right_tile[p * PITCH + lane % QUADS] = cache_at(0u, first_position + p, v);
    }
    workgroupBarrier();
    var sums = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
    add_product(&sums, lane);
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      let row = first_row + 4u * (lane / QUADS) + i;
      if (row < place.rows_end && v < vectors) {
        let index = (row * uniforms.heads + place.head) * vectors + v;
        if (is_first) {
          dquery[index] = sums[i];
        } else {
          dquery[index] += sums[i];
        }
      }
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention_backward_query(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = workgroup.x;
  let first_row = (workgroup.y + workgroup.z * grid.y) * TILE;
  let rows_end = min(first_row + TILE, step.rows);
  place = Place(head, head / (uniforms.heads / uniforms.kv_heads), 0u, rows_end, 0u);
  let offsets = vec4u(0u, 1u, 2u, 3u);

  var highest = vec4f(LOWEST);
  var total = vec4f();
  for (var start = first_row; start < rows_end; ) {
    let end = segment_end(start, rows_end);
    place.sequence = step.row[start].sequence;
    place.positions_end = step.row[end - 1u].position + 1u;
    let counts = visible(first_row, start, end, lane);
    for (var tile = first_tile(start); tile <= step.row[end - 1u].position; tile += TILE) {
      var sums = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
      add_scores(&sums, first_row, tile, lane);
      for (var i = 0u; i < 4u; i++) {
        let is_seen = positions_seen(tile + 4u * (lane % QUADS) + offsets, counts[i]);
        let values = select(vec4f(LOWEST), sums[i] * uniforms.scale, is_seen);
        let peak = max(max(values.x, values.y), max(values.z, values.w));
        let new_highest = max(highest[i], peak);
        let added = dot(select(vec4f(), exp(values - new_highest), is_seen), vec4f(1.0));
        total[i] = total[i] * exp(highest[i] - new_highest) + added;
        highest[i] = new_highest;
      }
    }
    start = end;
  }
  let normaliser = merge(highest, total, lane);

  var products = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let row = first_row + 4u * (lane / QUADS) + i;
    if (row < rows_end) {
      products[i] = output_product(row);
      if (lane % QUADS == 0u) {
        stats[row * uniforms.heads + head] = vec2f(normaliser[i], products[i]);
      }
    }
  }

  var is_first = true;
  for (var start = first_row; start < rows_end; ) {
    let end = segment_end(start, rows_end);
    place.sequence = step.row[start].sequence;
    place.positions_end = step.row[end - 1u].position + 1u;
    let counts = visible(first_row, start, end, lane);
    for (var tile = first_tile(start); tile <= step.row[end - 1u].position; tile += TILE) {
      var scores = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
      add_scores(&scores, first_row, tile, lane);
      var gradients = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
      add_value_products(&gradients, first_row, tile, lane);
      for (var i = 0u; i < 4u; i++) {
        let is_seen = positions_seen(tile + 4u * (lane % QUADS) + offsets, counts[i]);
        let weights = exp(scores[i] * uniforms.scale - normaliser[i]);
        gradients[i] = select(vec4f(), uniforms.scale * weights * (gradients[i] - products[i]), is_seen);
      }
      add_dquery(first_row, tile, is_first, mat4x4f(gradients[0], gradients[1], gradients[2], gradients[3]), lane);
      is_first = false;
    }
    start = end;
  }
}
