// The adapter's second half, backward to B; gradients accumulate.
//   dB[s, part][j, n] = dB[s, part][j, n] + Σ_r scale(r)·u[r, part, j]·dy[r, first(part) + n],  slot(r) = s, or all r where B is shared
//   u[r, part, j] = y[r, out + part·rank + j]
// Workgroup (g, q, s): 32 columns × 8 teams, a team every eighth row of the slot, a lane one column and the four j of quad q.
// Reference: paper eq. 7, differentiated; tests/reference/loraBackward.ts. Wrapper: src/kernels/loraBackwardB.ts

const COLUMNS = 32u;
const TEAMS = 8u;
const WORKGROUP_SIZE = 256u;

struct Uniforms {
  rank: u32,
  y_stride: u32,
  dy_stride: u32,
  b_slot_stride: u32,
  width_0: u32,
  width_1: u32,
  width_2: u32,
  b_0: u32,
  b_1: u32,
  b_2: u32,
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
@group(0) @binding(2) var<storage, read> y: array<f32>; // [rows, y_stride], u after the columns
@group(0) @binding(3) var<storage, read> dy: array<f32>; // [rows, dy_stride]
@group(0) @binding(4) var<storage, read_write> db: array<f32>; // [slots or 1, …, rank, width]

var<workgroup> partial: array<vec4f, WORKGROUP_SIZE>;

// The first row of a slot, or of those after it.
fn first_row_of_slot(slot: u32) -> u32 {
  var low = 0u;
  var high = step.rows;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (step.row[middle].slot < slot) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  return low;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn lora_backward_b(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let slot = workgroup.z;
  let quad = workgroup.y;
  let out = uniforms.width_0 + uniforms.width_1 + uniforms.width_2;
  let column = workgroup.x * COLUMNS + lane % COLUMNS;
  let team = lane / COLUMNS;
  let is_second = column >= uniforms.width_0;
  let is_third = column >= uniforms.width_0 + uniforms.width_1;
  let part = u32(is_second) + u32(is_third);

  var sum = vec4f();
  if (column < out) {
    let is_shared = uniforms.b_slot_stride == 0u;
    let first_row = select(first_row_of_slot(slot), 0u, is_shared);
    let end = select(first_row_of_slot(slot + 1u), step.rows, is_shared);
    for (var row = first_row + team; row < end; row += TEAMS) {
      let entry = step.row[row];
      if (entry.scale != 0.0) {
        let u = row * uniforms.y_stride + out + part * uniforms.rank + 4u * quad;
        let gradient = entry.scale * dy[row * uniforms.dy_stride + column];
        sum += gradient * vec4f(y[u], y[u + 1u], y[u + 2u], y[u + 3u]);
      }
    }
  }
  partial[lane] = sum;
  workgroupBarrier();

  if (team == 0u && column < out) {
    var total = vec4f();
    for (var i = 0u; i < TEAMS; i++) {
      total += partial[i * COLUMNS + lane];
    }
    let width = select(uniforms.width_0, select(uniforms.width_1, uniforms.width_2, is_third), is_second);
    let first = select(0u, select(uniforms.width_0, uniforms.width_0 + uniforms.width_1, is_third), is_second);
    let offset = select(uniforms.b_0, select(uniforms.b_1, uniforms.b_2, is_third), is_second);
    let base = slot * uniforms.b_slot_stride + offset + column - first;
    for (var i = 0u; i < 4u; i++) {
      db[base + (4u * quad + i) * width] += total[i];
    }
  }
}
