// Attention, backward to keys and values; gradients are written.
//   dk[p] = scale·Σ_h Σ_r P[r, p]·(dy[r, h]·v[p] − D[r, h])·query[r, h],  dv[p] = Σ_h Σ_r P[r, p]·dy[r, h]
//   P[r, p] = e^(scale·query[r, h]·k[p] − L[r, h]),  (L, D) = stats,  over rows r of the sequence that see p,
//   those at p and so many after as the window lets, h of the group
// Workgroup (kv head, t, sequence): 32 positions against 32 rows at a time, 64 lanes with 4 × 4 each; the sums grow in
// dcache itself. Positions without a row are left as they are.
// Reference: Dao et al. 2022 (FlashAttention), algorithm 4; tests/reference/attentionBackward.ts.
// Wrapper: src/kernels/attentionBackwardCache.ts

const TILE = 32u; // rows, positions and dimensions of a tile
const QUADS = 8u; // of a tile's side
const PITCH = 9u; // of a line of quads: odd, so that lanes that store one under the other meet different banks
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  capacity: u32,
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
@group(0) @binding(4) var<storage, read> dy: array<vec4f>; // [rows, dy_stride]
@group(0) @binding(5) var<storage, read> stats: array<vec2f>; // [rows, heads]
@group(0) @binding(6) var<storage, read_write> dcache: array<vec4f>; // [sequences, 2, kv_heads, capacity, head_dim]

var<workgroup> left_tile: array<vec4f, 288>; // [dimension, quad of rows] or [row, quad of positions], PITCH apart
var<workgroup> right_tile: array<vec4f, 288>; // [dimension, quad of positions] or [row, quad of dimensions]

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

// The first row of a sequence or of one after it; rows stand in the order of their sequences.
fn first_row_of_sequence(sequence: u32) -> u32 {
  var low = 0u;
  var high = step.rows;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (step.row[middle].sequence < sequence) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  return low;
}

// Adds, in one half of dcache, weights of 32 rows at 32 positions times those rows' queries (keys) or gradients (values).
fn add_dcache(half: u32, first_row: u32, first_position: u32, is_first: bool, weights: array<vec4f, 4>, lane: u32) {
  let vectors = uniforms.head_dim / 4u;
  var lines = weights;
  for (var i = 0u; i < 4u; i++) {
    left_tile[(4u * (lane / QUADS) + i) * PITCH + lane % QUADS] = lines[i];
  }
  for (var c = 0u; c < vectors; c += QUADS) {
    let v = c + lane % QUADS;
    for (var i = 0u; i < 4u; i++) {
      let r = lane / QUADS + i * QUADS;
      var values: vec4f;
      if (half == 0u) {
        values = query_at(first_row + r, v);
      } else {
        values = dy_at(first_row + r, v);
      }
      right_tile[r * PITCH + lane % QUADS] = values;
    }
    workgroupBarrier();
    var sums = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
    add_product(&sums, lane);
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      let position = first_position + 4u * (lane / QUADS) + i;
      if (position < place.positions_end && v < vectors) {
        let line = ((place.sequence * 2u + half) * uniforms.kv_heads + place.kv_head) * uniforms.capacity + position;
        if (is_first) {
          dcache[line * vectors + v] = sums[i];
        } else {
          dcache[line * vectors + v] += sums[i];
        }
      }
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention_backward_cache(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let kv_head = workgroup.x;
  let first_position = workgroup.y * TILE;
  let sequence = workgroup.z;
  let sequence_start = first_row_of_sequence(sequence);
  let rows_end = first_row_of_sequence(sequence + 1u);
  let group = uniforms.heads / uniforms.kv_heads;
  let offsets = vec4u(0u, 1u, 2u, 3u);
  // Rows from there on see none of the tile's positions.
  let seen_end = min(rows_end, sequence_start + first_position + TILE + min(uniforms.window, rows_end));

  for (var head = kv_head * group; head < (kv_head + 1u) * group; head++) {
    place = Place(head, kv_head, sequence, rows_end, rows_end - sequence_start);
    for (var first_row = sequence_start + first_position; first_row < seen_end; first_row += TILE) {
      let is_first = head == kv_head * group && first_row == sequence_start + first_position;
      var weights = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
      add_scores(&weights, first_row, first_position, lane);
      var gradients = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
      add_value_products(&gradients, first_row, first_position, lane);
      for (var i = 0u; i < 4u; i++) {
        let row = first_row + 4u * (lane / QUADS) + i;
        var is_seen = vec4<bool>();
        var stat = vec2f();
        if (row < rows_end) {
          let position = first_position + 4u * (lane % QUADS) + offsets;
          let last = vec4u(row - sequence_start);
          is_seen = (position <= last) & (last - position < vec4u(uniforms.window));
          stat = stats[row * uniforms.heads + head];
        }
        weights[i] = select(vec4f(), exp(weights[i] * uniforms.scale - stat.x), is_seen);
        gradients[i] = uniforms.scale * weights[i] * (gradients[i] - stat.y);
      }
      add_dcache(1u, first_row, first_position, is_first, weights, lane);
      add_dcache(0u, first_row, first_position, is_first, gradients, lane);
    }
  }
}
