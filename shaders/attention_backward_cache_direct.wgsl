// Attention, backward to keys and values: the equations of attention_backward_cache.wgsl, without workgroup memory.
//   dk[p] = scale·Σ_h Σ_r P[r, p]·(dy[r, h]·v[p] − D[r, h])·query[r, h],  dv[p] = Σ_h Σ_r P[r, p]·dy[r, h]
//   P[r, p] = e^(scale·query[r, h]·k[p] − L[r, h]),  (L, D) = stats,  over rows r of the sequence that see p,
//   those at p and so many after as the window lets, h of the group
// A lane takes one head of the cache at the positions of 4 neighbouring rows, those of one sequence at a time, against 4
// rows at a time; the sums grow in dcache itself. Positions without a row are left as they are. Processors that emulate a
// GPU pay more for barriers and workgroup memory than for reading twice.
// Reference: Dao et al. 2022 (FlashAttention), algorithm 4; tests/reference/attentionBackward.ts.
// Wrapper: src/kernels/attentionBackwardCache.ts

const EACH = 4u; // positions of a lane, and rows at a time
const WORKGROUP_SIZE = 32u;
const OFFSETS = vec4u(0u, 1u, 2u, 3u);

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

// Which of four rows see a position, by how many rows of the sequence and before it each of them ends.
fn rows_seeing(position: u32, ends: vec4u) -> vec4<bool> {
  return (vec4u(position) < ends) & (ends - position <= vec4u(uniforms.window));
}

// The first row of a sequence, or of those after it.
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

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention_backward_cache_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (workgroup.x + workgroup.y * grid.x) * WORKGROUP_SIZE + lane;
  let kv_head = index % uniforms.kv_heads;
  let first_row = index / uniforms.kv_heads * EACH;
  let end = min(first_row + EACH, step.rows);
  let vectors = uniforms.head_dim / 4u;
  let group = uniforms.heads / uniforms.kv_heads;
  for (var row = first_row; row < end; ) {
    let sequence = step.row[row].sequence;
    var stop = row + 1u;
    while (stop < end && step.row[stop].sequence == sequence) {
      stop++;
    }
    let rows_end = first_row_of_sequence(sequence + 1u);
    // Rows from there on see none of these positions.
    let seen_end = min(rows_end, row + EACH + min(uniforms.window, rows_end));
    // Positions past the end repeat the last one and are not stored.
    let own = min(row + OFFSETS, vec4u(stop - 1u));
    let line = (sequence * 2u * uniforms.kv_heads + kv_head) * uniforms.capacity + step.row[row].position;
    let keys = (line + own - row) * vectors;
    let values = keys + uniforms.kv_heads * uniforms.capacity * vectors;
    for (var head = kv_head * group; head < (kv_head + 1u) * group; head++) {
      for (var other = row; other < seen_end; other += EACH) {
        let is_first = head == kv_head * group && other == row;
        let r = min(other + OFFSETS, vec4u(rows_end - 1u));
        let rows = (r * uniforms.heads + head) * vectors;
        let gradients = r * (uniforms.dy_stride / 4u) + head * vectors;
        let stat = r * uniforms.heads + head;
        let normaliser = vec4f(stats[stat.x].x, stats[stat.y].x, stats[stat.z].x, stats[stat.w].x);
        let products = vec4f(stats[stat.x].y, stats[stat.y].y, stats[stat.z].y, stats[stat.w].y);
        // Rows past the end see no position.
        let seen_by = select(vec4u(), other + OFFSETS + 1u, other + OFFSETS < vec4u(rows_end));
        let s = scores(rows, keys);
        let d = value_products(gradients, values);
        // Column j holds what the rows give to position j.
        let weights = mat4x4f(
          select(vec4f(), exp(s[0] - normaliser), rows_seeing(row, seen_by)),
          select(vec4f(), exp(s[1] - normaliser), rows_seeing(row + 1u, seen_by)),
          select(vec4f(), exp(s[2] - normaliser), rows_seeing(row + 2u, seen_by)),
          select(vec4f(), exp(s[3] - normaliser), rows_seeing(row + 3u, seen_by)),
        );
        let ds = uniforms.scale * mat4x4f(
          weights[0] * (d[0] - products),
          weights[1] * (d[1] - products),
          weights[2] * (d[2] - products),
          weights[3] * (d[3] - products),
        );
        for (var v = 0u; v < vectors; v++) {
          let q = mat4x4f(query[rows.x + v], query[rows.y + v], query[rows.z + v], query[rows.w + v]);
          let g = mat4x4f(dy[gradients.x + v], dy[gradients.y + v], dy[gradients.z + v], dy[gradients.w + v]);
          let dk = q * ds;
          let dv = g * weights;
          for (var j = 0u; row + j < stop; j++) {
            let key = (line + j) * vectors + v;
            let value = key + uniforms.kv_heads * uniforms.capacity * vectors;
            dcache[key] = select(dcache[key], vec4f(), is_first) + dk[j];
            dcache[value] = select(dcache[value], vec4f(), is_first) + dv[j];
          }
        }
      }
    }
    row = stop;
  }
}
