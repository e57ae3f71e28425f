// The adapter's second half, backward to u; gradients are written, beside those that they come from.
//   dy[r, out + part·rank + j] = scale(r)·Σ_n dy[r, first(part) + n]·B[slot(r), part][j, n],  n < width(part)
// Workgroup (part and quad of j, r): lanes stride over the columns, each with four sums.
// Reference: paper eq. 7, differentiated; tests/reference/loraBackward.ts. Wrapper: src/kernels/loraBackwardUp.ts

const WORKGROUP_SIZE = 64u;

struct Uniforms {
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

var<workgroup> partial: array<vec4f, WORKGROUP_SIZE>;

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
fn lora_backward_up(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y + workgroup.z * grid.y;
  let entry = step.row[row];
  let part = part_at(4u * workgroup.x / uniforms.rank);
  let j = 4u * workgroup.x % uniforms.rank;
  let base = row * uniforms.dy_stride;

  var sum = vec4f();
  if (entry.scale != 0.0) {
    let first = entry.slot * uniforms.b_slot_stride + part.b + j * part.width;
    for (var n = lane; n < part.width; n += WORKGROUP_SIZE) {
      let at = first + n;
      let column = vec4f(b[at], b[at + part.width], b[at + 2u * part.width], b[at + 3u * part.width]);
      sum += dy[base + part.first + n] * column;
    }
  }
  partial[lane] = sum;
  workgroupBarrier();

  for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (lane < stride) {
      partial[lane] += partial[lane + stride];
    }
    workgroupBarrier();
  }

  if (lane < 4u) {
    let out = uniforms.width_0 + uniforms.width_1 + uniforms.width_2;
    dy[base + out + 4u * workgroup.x + lane] = entry.scale * partial[0][lane];
  }
}
