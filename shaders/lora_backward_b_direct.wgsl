// The adapter's second half, backward to B: the equation of lora_backward_b.wgsl, without workgroup memory.
//   dB[s, part][j, n] = dB[s, part][j, n] + Σ_r scale(r)·u[r, part, j]·dy[r, first(part) + n],  slot(r) = s, or all r where B is shared
//   u[r, part, j] = y[r, out + part·rank + j]
// Workgroup (g, p, s): 32 quads of columns × a pair of quads of j, a lane one quad of columns along all rows of the slot,
// which are neighbours. Processors that emulate a GPU pay more for barriers and workgroup memory than for reading twice.
// Reference: paper eq. 7, differentiated; tests/reference/loraBackward.ts. Wrapper: src/kernels/loraBackwardB.ts

const EACH = 4u; // columns of a lane, all of one part
const WORKGROUP_SIZE = 32u;

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

struct Part {
  first: u32, // its first column in dy
  width: u32,
  b: u32, // offset of its B in a slot
}

fn part_at(index: u32) -> Part {
  if (index == 0u) {
    return Part(0u, uniforms.width_0, uniforms.b_0);
  }
  if (index == 1u) {
    return Part(uniforms.width_0, uniforms.width_1, uniforms.b_1);
  }
  return Part(uniforms.width_0 + uniforms.width_1, uniforms.width_2, uniforms.b_2);
}

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
fn lora_backward_b_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let slot = workgroup.z;
  let out = uniforms.width_0 + uniforms.width_1 + uniforms.width_2;
  // Every part begins with a quad of its own.
  let quads_0 = (uniforms.width_0 + EACH - 1u) / EACH;
  let quads_1 = (uniforms.width_1 + EACH - 1u) / EACH;
  let index = workgroup.x * WORKGROUP_SIZE + lane;
  let is_second = index >= quads_0;
  let is_third = index >= quads_0 + quads_1;
  let number = u32(is_second) + u32(is_third);
  let part = part_at(number);
  let first_column = EACH * (index - select(0u, select(quads_0, quads_0 + quads_1, is_third), is_second));
  if (first_column >= part.width) {
    return;
  }
  // Columns past the end repeat the last: their sums are never stored.
  let column = part.first + min(first_column + vec4u(0u, 1u, 2u, 3u), vec4u(part.width - 1u));
  let quad = workgroup.y * 2u;
  // Of an odd number of quads the last is taken twice and stored once.
  let next = min(quad + 1u, uniforms.rank / 4u - 1u);
  let is_shared = uniforms.b_slot_stride == 0u;
  let first_row = select(first_row_of_slot(slot), 0u, is_shared);
  let end = select(first_row_of_slot(slot + 1u), step.rows, is_shared);

  var sums = mat4x4f();
  var next_sums = mat4x4f();
  for (var row = first_row; row < end; row++) {
    let at = row * uniforms.dy_stride + column;
    let value = step.row[row].scale * vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
    let start = row * uniforms.y_stride + out + number * uniforms.rank;
    let c = start + 4u * quad;
    let d = start + 4u * next;
    let u = vec4f(y[c], y[c + 1u], y[c + 2u], y[c + 3u]);
    let next_u = vec4f(y[d], y[d + 1u], y[d + 2u], y[d + 3u]);
    sums += mat4x4f(u.x * value, u.y * value, u.z * value, u.w * value);
    next_sums += mat4x4f(next_u.x * value, next_u.y * value, next_u.z * value, next_u.w * value);
  }

  let base = slot * uniforms.b_slot_stride + part.b + first_column;
  for (var j = 0u; j < 4u; j++) {
    for (var i = 0u; i < EACH && first_column + i < part.width; i++) {
      db[base + (4u * quad + j) * part.width + i] += sums[j][i];
      if (next != quad) {
        db[base + (4u * next + j) * part.width + i] += next_sums[j][i];
      }
    }
  }
}
