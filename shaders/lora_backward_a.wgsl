// The adapter's first half, backward to A; gradients accumulate.
//   dA[s, part][k, j] = dA[s, part][k, j] + Σ_r drop[r, k]·x[r, k]·du[r, part, j],  slot(r) = s, or all r where A is shared
//   du[r, part, j] = dy[r, out + part·rank + j];  drop[r, k] = 0 where hash(seed, salt, r, k) < threshold, else scale
// Workgroup (g, q, s): 32 rows k of A × 8 teams, a team every eighth row r of the slot, a lane one k and the four j of quad q of all parts.
// Reference: paper eq. 7, differentiated; tests/reference/loraBackward.ts. Wrapper: src/kernels/loraBackwardA.ts

const COLUMNS = 32u;
const TEAMS = 8u;
const WORKGROUP_SIZE = 256u;

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

var<workgroup> partial: array<vec4f, WORKGROUP_SIZE>;

// Reference: O'Neill 2014; the hash form of Jarzynski & Olano 2020.
fn pcg(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

fn row_key(row: u32) -> u32 {
  return pcg(row + pcg(uniforms.salt + pcg(dropout.seed)));
}

fn kept(key: u32, column: u32) -> f32 {
  return select(dropout.scale, 0.0, pcg(key + column) < dropout.threshold);
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
fn lora_backward_a(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let slot = workgroup.z;
  let k = workgroup.x * COLUMNS + lane % COLUMNS;
  let team = lane / COLUMNS;

  var sum = vec4f();
  if (k < uniforms.in_features) {
    let is_shared = uniforms.a_slot_stride == 0u;
    let first_row = select(first_row_of_slot(slot), 0u, is_shared);
    let end = select(first_row_of_slot(slot + 1u), step.rows, is_shared);
    for (var row = first_row + team; row < end; row += TEAMS) {
      let entry = step.row[row];
      if (entry.scale != 0.0) {
        let du = row * uniforms.dy_stride + uniforms.out + 4u * workgroup.y;
        let value = kept(row_key(row), k) * x[row * uniforms.x_stride + k];
        sum += value * vec4f(dy[du], dy[du + 1u], dy[du + 2u], dy[du + 3u]);
      }
    }
  }
  partial[lane] = sum;
  workgroupBarrier();

  if (team == 0u && k < uniforms.in_features) {
    var total = vec4f();
    for (var i = 0u; i < TEAMS; i++) {
      total += partial[i * COLUMNS + lane];
    }
    let quads = uniforms.rank / 4u;
    let part = workgroup.y / quads;
    let base = (slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u;
    da[base + k * quads + workgroup.y % quads] += total;
  }
}
