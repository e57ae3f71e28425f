// The adapter's first half with dropout, forward.
//   y[r, out + part·rank + j] = Σ_k drop[r, k]·x[r, k]·A[slot(r), part][k, j]
//   drop[r, k] = 0 where hash(seed, salt, r, k) < threshold, else scale
// Workgroup (part, r): teams of rank / 4 lanes, a team every so manieth row of A, a lane four of its columns.
// Reference: paper eq. 7; tests/reference/loraDown.ts. Wrapper: src/kernels/loraDown.ts

const WORKGROUP_SIZE = 64u;

struct Uniforms {
  in_features: u32,
  out: u32,
  rank: u32,
  x_stride: u32,
  y_stride: u32,
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
@group(0) @binding(3) var<storage, read> a: array<vec4f>; // [slots, …, in, rank]
@group(0) @binding(4) var<storage, read> dropout: Dropout; // 4 words
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [rows, y_stride]

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

@compute @workgroup_size(WORKGROUP_SIZE)
fn lora_down(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let part = workgroup.x;
  let row = workgroup.y + workgroup.z * grid.y;
  let entry = step.row[row];
  let quads = uniforms.rank / 4u;
  let teams = WORKGROUP_SIZE / quads;
  let team = lane / quads;
  let key = row_key(row);

  var sum = vec4f();
  if (entry.scale != 0.0 && team < teams) {
    let base = (entry.slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u + lane % quads;
    for (var k = team; k < uniforms.in_features; k += teams) {
      sum += kept(key, k) * x[row * uniforms.x_stride + k] * a[base + k * quads];
    }
  }
  partial[lane] = sum;
  workgroupBarrier();

  if (lane < quads) {
    var total = vec4f();
    for (var i = 0u; i < teams; i++) {
      total += partial[i * quads + lane];
    }
    let first = row * uniforms.y_stride + uniforms.out + part * uniforms.rank + 4u * lane;
    for (var i = 0u; i < 4u; i++) {
      y[first + i] = total[i];
    }
  }
}
