// The adapter's second half, backward to u: the equation of lora_backward_up.wgsl, without workgroup memory.
//   dy[r, out + part·rank + j] = scale(r)·Σ_n dy[r, first(part) + n]·B[slot(r), part][j, n],  n < width(part)
// Workgroup (g, t): four pairs of quads of j × 32 rows, a lane one pair for 4 rows along all columns, those of one slot at
// a time. Processors that emulate a GPU pay more for barriers and workgroup memory than for reading twice.
// Reference: paper eq. 7, differentiated; tests/reference/loraBackward.ts. Wrapper: src/kernels/loraBackwardUp.ts

const LANES = 8u; // one below the other, 4 rows each
const EACH = 4u; // rows of a lane
const PAIRS = 4u; // side by side
const WORKGROUP_SIZE = 32u;

struct Uniforms {
  parts: u32,
  rank: u32,
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
@group(0) @binding(2) var<storage, read> b: array<f32>; // [slots or 1, …, rank, width]
@group(0) @binding(3) var<storage, read_write> dy: array<f32>; // [rows, dy_stride], du after the columns

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

@compute @workgroup_size(WORKGROUP_SIZE)
fn lora_backward_up_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let out = uniforms.width_0 + uniforms.width_1 + uniforms.width_2;
  let quads = uniforms.rank / 4u;
  let pairs = (quads + 1u) / 2u; // of a part
  let pair = workgroup.x * PAIRS + lane / LANES;
  if (pair / pairs >= uniforms.parts) {
    return;
  }
  let part = part_at(pair / pairs);
  let quad = pair % pairs * 2u;
  // Of an odd number of quads the last is taken twice.
  let next = min(quad + 1u, quads - 1u);
  let columns = vec4u(0u, 1u, 2u, 3u);
  let first_row = ((workgroup.y + workgroup.z * grid.y) * LANES + lane % LANES) * EACH;
  let end = min(first_row + EACH, step.rows);
  for (var row = first_row; row < end; ) {
    let slot = step.row[row].slot;
    var stop = row + 1u;
    while (stop < end && step.row[stop].slot == slot) {
      stop++;
    }
    let start = min(row + columns, vec4u(stop - 1u)) * uniforms.dy_stride + part.first;
    let base = slot * uniforms.b_slot_stride + part.b;
    let line = base + (4u * quad + columns) * part.width;
    let next_line = base + (4u * next + columns) * part.width;
    var sums = mat4x4f();
    var next_sums = mat4x4f();
    for (var n = 0u; n < part.width; n++) {
      let at = start + n;
      let value = vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
      let c = line + n;
      let d = next_line + n;
      let weights = vec4f(b[c.x], b[c.y], b[c.z], b[c.w]);
      let next_weights = vec4f(b[d.x], b[d.y], b[d.z], b[d.w]);
      sums += mat4x4f(value.x * weights, value.y * weights, value.z * weights, value.w * weights);
      next_sums += mat4x4f(value.x * next_weights, value.y * next_weights, value.z * next_weights, value.w * next_weights);
    }
    for (var i = 0u; row + i < stop; i++) {
      let scale = step.row[row + i].scale;
      let to = (row + i) * uniforms.dy_stride + out + pair / pairs * uniforms.rank;
      for (var j = 0u; j < 4u; j++) {
        dy[to + 4u * quad + j] = scale * sums[i][j];
        dy[to + 4u * next + j] = scale * select(next_sums[i][j], sums[i][j], next == quad);
      }
    }
    row = stop;
  }
}
