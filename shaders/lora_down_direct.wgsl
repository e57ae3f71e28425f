// The adapter's first half with dropout, forward: the equation of lora_down.wgsl, without workgroup memory.
//   y[r, out + part·rank + j] = Σ_k drop[r, k]·x[r, k]·A[slot(r), part][k, j]
//   drop[r, k] = 0 where hash(seed, salt, r, k) < threshold, else scale
// Workgroup (g, t): four pairs of quads of j × 32 rows, a lane one pair for 4 rows along all of k, those of one slot at a
// time. Processors that emulate a GPU pay more for barriers and workgroup memory than for reading twice.
// Reference: paper eq. 7; tests/reference/loraDown.ts. Wrapper: src/kernels/loraDown.ts

const LANES = 8u; // one below the other, 4 rows each
const EACH = 4u; // rows of a lane
const PAIRS = 4u; // side by side
const WORKGROUP_SIZE = 32u;

struct Uniforms {
  in_features: u32,
  out: u32,
  parts: u32,
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

@compute @workgroup_size(WORKGROUP_SIZE)
fn lora_down_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quads = uniforms.rank / 4u;
  let pairs = (quads + 1u) / 2u; // of a part
  let pair = workgroup.x * PAIRS + lane / LANES;
  let part = pair / pairs;
  if (part >= uniforms.parts) {
    return;
  }
  let quad = pair % pairs * 2u;
  // Of an odd number of quads the last is taken twice.
  let next = min(quad + 1u, quads - 1u);
  let first_row = ((workgroup.y + workgroup.z * grid.y) * LANES + lane % LANES) * EACH;
  let end = min(first_row + EACH, step.rows);
  for (var row = first_row; row < end; ) {
    let slot = step.row[row].slot;
    var stop = row + 1u;
    while (stop < end && step.row[stop].slot == slot) {
      stop++;
    }
    let r = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(stop - 1u));
    let key = four_row_keys(r);
    let base = (slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u;
    let start = r * uniforms.x_stride;
    var sums = mat4x4f();
    var next_sums = mat4x4f();
    for (var k = 0u; k < uniforms.in_features; k++) {
      let at = start + k;
      let value = four_kept(key, vec4u(k)) * vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
      let line = base + k * quads;
      let columns = a[line + quad];
      let next_columns = a[line + next];
      sums += mat4x4f(value.x * columns, value.y * columns, value.z * columns, value.w * columns);
      next_sums += mat4x4f(value.x * next_columns, value.y * next_columns, value.z * next_columns, value.w * next_columns);
    }
    for (var i = 0u; row + i < stop; i++) {
      let strength = select(0.0, 1.0, step.row[row + i].scale != 0.0);
      let to = (row + i) * uniforms.y_stride + uniforms.out + part * uniforms.rank;
      for (var j = 0u; j < 4u; j++) {
        y[to + 4u * quad + j] = strength * sums[i][j];
        y[to + 4u * next + j] = strength * select(next_sums[i][j], sums[i][j], next == quad);
      }
    }
    row = stop;
  }
}
