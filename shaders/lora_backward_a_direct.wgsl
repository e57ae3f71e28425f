// The adapter's first half, backward to A: the equation of lora_backward_a.wgsl, without workgroup memory.
//   dA[s, part][k, j] = dA[s, part][k, j] + Σ_r drop[r, k]·x[r, k]·du[r, part, j],  slot(r) = s, or all r where A is shared
//   du[r, part, j] = dy[r, out + part·rank + j];  drop[r, k] = 0 where hash(seed, salt, r, k) < threshold, else scale
// Workgroup (g, p, s): 128 rows k of A × a pair of quads of j, a lane 4 of them along all rows r of the slot, which are
// neighbours. Processors that emulate a GPU pay more for barriers and workgroup memory than for reading twice.
// Reference: paper eq. 7, differentiated; tests/reference/loraBackward.ts. Wrapper: src/kernels/loraBackwardA.ts

const EACH = 4u; // rows k of a lane
const WORKGROUP_SIZE = 32u;

struct Uniforms {
  in_features: u32,
  out: u32,
  rank: u32,
  x_stride: u32,
  dy_stride: u32,
  a_offset: u32,
  a_part_stride: u32,
  a_slot_stride: u32,
  salt: u32,
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

struct Dropout {
  seed: u32,
  threshold: u32, // of 2³²: the share that is dropped
  scale: f32, // of what is kept
  unused: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> step: Step;
@group(0) @binding(2) var<storage, read> x: array<f32>; // [rows, x_stride]
@group(0) @binding(3) var<storage, read> dy: array<f32>; // [rows, dy_stride], du after the columns
@group(0) @binding(4) var<storage, read> dropout: Dropout; // 4 words
@group(0) @binding(5) var<storage, read_write> da: array<vec4f>; // [slots or 1, …, in, rank]

// Reference: O'Neill 2014; the hash form of Jarzynski & Olano 2020; four at once.
fn four_pcg(value: vec4u) -> vec4u {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> vec4u(28u)) + 4u)) ^ state) * 277803737u;
  return (word >> vec4u(22u)) ^ word;
}

fn four_row_keys(row: vec4u) -> vec4u {
  return four_pcg(row + four_pcg(uniforms.salt + four_pcg(vec4u(dropout.seed))));
}

fn four_kept(key: vec4u, column: vec4u) -> vec4f {
  return select(vec4f(dropout.scale), vec4f(), four_pcg(key + column) < vec4u(dropout.threshold));
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
fn lora_backward_a_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let slot = workgroup.z;
  let first_k = (workgroup.x * WORKGROUP_SIZE + lane) * EACH;
  if (first_k >= uniforms.in_features) {
    return;
  }
  // Rows of A past the end repeat the last: their sums are never stored.
  let k = min(first_k + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.in_features - 1u));
  let quads = uniforms.rank / 4u;
  let pairs = (quads + 1u) / 2u; // of a part
  let part = workgroup.y / pairs;
  let quad = workgroup.y % pairs * 2u;
  // Of an odd number of quads the last is taken twice and stored once.
  let next = min(quad + 1u, quads - 1u);
  let is_shared = uniforms.a_slot_stride == 0u;
  let first_row = select(first_row_of_slot(slot), 0u, is_shared);
  let end = select(first_row_of_slot(slot + 1u), step.rows, is_shared);

  var sums = mat4x4f();
  var next_sums = mat4x4f();
  for (var row = first_row; row < end; row++) {
    let strength = select(0.0, 1.0, step.row[row].scale != 0.0);
    let at = row * uniforms.x_stride + k;
    let value = strength * four_kept(four_row_keys(vec4u(row)), k) * vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
    let start = row * uniforms.dy_stride + uniforms.out + part * uniforms.rank;
    let c = start + 4u * quad;
    let d = start + 4u * next;
    let du = vec4f(dy[c], dy[c + 1u], dy[c + 2u], dy[c + 3u]);
    let next_du = vec4f(dy[d], dy[d + 1u], dy[d + 2u], dy[d + 3u]);
    sums += mat4x4f(value.x * du, value.y * du, value.z * du, value.w * du);
    next_sums += mat4x4f(value.x * next_du, value.y * next_du, value.z * next_du, value.w * next_du);
  }

  let base = (slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u;
  for (var i = 0u; i < EACH && first_k + i < uniforms.in_features; i++) {
    let line = base + (first_k + i) * quads;
    da[line + quad] += sums[i];
    if (next != quad) {
      da[line + next] += next_sums[i];
    }
  }
}
