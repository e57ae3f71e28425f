// Adapted projection, backward to its input; gradients are written.
//   dx[r, k] = Σ_n dy[r, n]·W[n, k] + drop[r, k]·Σ_part Σ_j du[r, part, j]·A[slot(r), part][k, j],  n < out
//   du[r, part, j] = dy[r, out + part·rank + j];  drop[r, k] = 0 where hash(seed, salt, r, k) < threshold, else scale
// Workgroup (g, t): a tile of 32 rows × 32 columns k, 64 lanes with 4 × 4 each, 32 outputs n at a time in workgroup
// memory, weights unpacked on their way there; then each lane adds the adapter's part of its 16 values.
// Reference: paper eq. 7, differentiated; tests/reference/projectBackward.ts. Wrapper: src/kernels/projectBackward.ts

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 2: bf16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
override ZEROS: u32 = 0u; // of blocks: 0: bytes, 1: f32, 2: none, and codes name one of 16 levels, f32, in their place
const TILE = 32u; // rows, outputs and columns of a tile
const QUADS = 8u; // of a tile's side
const PITCH = 9u; // of a line of quads that lanes store one under the other: odd, so that they meet different banks
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  out: u32,
  in_features: u32,
  in_vectors: u32,
  row_vectors: u32,
  block_size: u32,
  row_blocks: u32,
  dy_stride: u32,
  dx_stride: u32,
  parts: u32,
  rank: u32,
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
@group(0) @binding(2) var<storage, read> dy: array<f32>; // [rows, dy_stride], du after the columns
@group(0) @binding(3) var<storage, read> weights: array<vec4u>; // [out, row_vectors]
@group(0) @binding(4) var<storage, read> scales: array<u32>; // [out, row_blocks]
@group(0) @binding(5) var<storage, read> zeros: array<u32>; // [out, row_blocks], or [16] levels
@group(0) @binding(6) var<storage, read> a: array<vec4f>; // [slots, …, in, rank]
@group(0) @binding(7) var<storage, read> dropout: Dropout; // 4 words
@group(0) @binding(8) var<storage, read_write> dx: array<f32>; // [rows, dx_stride]

var<workgroup> dy_tile: array<vec4f, 288>; // [output, quad of rows], PITCH apart
var<workgroup> w_tile: array<vec4f, 256>; // [output, quad of columns]

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

fn block_scale(block: u32) -> f32 {
  if (HALF_SCALES) {
    return unpack2x16float(scales[block / 2u])[block % 2u];
  }
  return bitcast<f32>(scales[block]);
}

fn block_zero(block: u32) -> f32 {
  if (ZEROS == 1u) {
    return bitcast<f32>(zeros[block]);
  }
  if (ZEROS == 2u) {
    return 0.0;
  }
  return f32(extractBits(zeros[block / 4u], 8u * (block % 4u), 8u));
}

fn level(index: u32) -> vec4f {
  return vec4f(bitcast<f32>(zeros[index]));
}

// The levels that four codes name, chosen bit by bit: looking them up takes software drivers minutes to compile.
fn four_levels(codes: vec4u) -> vec4f {
  let first = (codes & vec4u(1u)) == vec4u(1u);
  let second = (codes & vec4u(2u)) == vec4u(2u);
  let third = (codes & vec4u(4u)) == vec4u(4u);
  let a = select(select(level(0u), level(1u), first), select(level(2u), level(3u), first), second);
  let b = select(select(level(4u), level(5u), first), select(level(6u), level(7u), first), second);
  let c = select(select(level(8u), level(9u), first), select(level(10u), level(11u), first), second);
  let d = select(select(level(12u), level(13u), first), select(level(14u), level(15u), first), second);
  return select(select(a, b, third), select(c, d, third), codes >= vec4u(8u));
}

// Four codes with a byte each as numbers, or the levels that they name.
fn code_values(word: u32) -> vec4f {
  let codes = unpack4xU8(word);
  if (ZEROS == 2u) {
    return four_levels(codes);
  }
  return vec4f(codes);
}

// The two floats of a word, halves or the upper halves of f32.
fn two_halves(word: u32) -> vec2f {
  if (FORMAT == 2u) {
    return vec2f(bitcast<f32>(word << 16u), bitcast<f32>(word & 0xffff0000u));
  }
  return unpack2x16float(word);
}

// Unpacks 16 weights of row n from column k on (a multiple of 16) into the tile; rows past the end are zero.
fn load_weights(n: u32, k: u32, at: u32) {
  var values = array<vec4f, 4>(vec4f(), vec4f(), vec4f(), vec4f());
  if (n < uniforms.out) {
    let row = n * uniforms.row_vectors;
    if (FORMAT == 0u) {
      for (var i = 0u; i < 4u; i++) {
        values[i] = bitcast<vec4f>(weights[row + min(k / 4u + i, uniforms.in_vectors - 1u)]);
      }
    } else if (FORMAT == 1u || FORMAT == 2u) {
      for (var i = 0u; i < 2u; i++) {
        let w = weights[row + min(k / 8u + i, uniforms.in_vectors - 1u)];
        values[2u * i] = vec4f(two_halves(w.x), two_halves(w.y));
        values[2u * i + 1u] = vec4f(two_halves(w.z), two_halves(w.w));
      }
    } else {
      let block = n * uniforms.row_blocks + min(k / uniforms.block_size, uniforms.row_blocks - 1u);
      let scale = block_scale(block);
      let zero = block_zero(block);
      if (FORMAT == 8u) {
        let w = weights[row + min(k / 16u, uniforms.in_vectors - 1u)];
        for (var i = 0u; i < 4u; i++) {
          values[i] = (code_values(w[i]) - zero) * scale;
        }
      } else {
        let w = weights[row + min(k / 32u, uniforms.in_vectors - 1u)];
        for (var i = 0u; i < 2u; i++) {
          let word = w[2u * (k / 16u % 2u) + i];
          let even = (code_values(word & 0x0f0f0f0fu) - zero) * scale;
          let odd = (code_values((word >> 4u) & 0x0f0f0f0fu) - zero) * scale;
          values[2u * i] = vec4f(even.x, odd.x, even.y, odd.y);
          values[2u * i + 1u] = vec4f(even.z, odd.z, even.w, odd.w);
        }
      }
    }
  }
  for (var i = 0u; i < 4u; i++) {
    w_tile[at + i] = values[i];
  }
}

// Brings four quads of rows of one output into the tile. What lies past the end repeats the last row or output: the sums
// of such rows are never stored, the weights of such outputs are zero.
fn load_dy(first_row: u32, n: u32, lane: u32) {
  let column = min(n, uniforms.out - 1u);
  for (var i = 0u; i < 4u; i++) {
    let quad = lane / TILE + 2u * i;
    let row = min(vec4u(first_row + 4u * quad) + vec4u(0u, 1u, 2u, 3u), vec4u(step.rows - 1u));
    let at = row * uniforms.dy_stride + column;
    dy_tile[lane % TILE * PITCH + quad] = vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
  }
}

// The adapter's part of columns k to k + 4 of a row.
fn adapted(row: u32, k: u32) -> vec4f {
  let entry = step.row[row];
  if (entry.scale == 0.0) {
    return vec4f();
  }
  let quads = uniforms.rank / 4u;
  // Columns past the end read the last row of A: their sums are never stored.
  let line = quads * min(vec4u(k) + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.in_features - 1u));
  var du_at = row * uniforms.dy_stride + uniforms.out;
  var sum = vec4f();
  for (var part = 0u; part < uniforms.parts; part++) {
    let base = (entry.slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u;
    for (var quad = 0u; quad < quads; quad++) {
      let du = vec4f(dy[du_at], dy[du_at + 1u], dy[du_at + 2u], dy[du_at + 3u]);
      let at = line + base + quad;
      sum += vec4f(dot(du, a[at.x]), dot(du, a[at.y]), dot(du, a[at.z]), dot(du, a[at.w]));
      du_at += 4u;
    }
  }
  let key = row_key(row);
  return sum * vec4f(kept(key, k), kept(key, k + 1u), kept(key, k + 2u), kept(key, k + 3u));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn project_backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = (workgroup.y + workgroup.z * grid.y) * TILE;
  let first_column = workgroup.x * TILE;
  var sums = array<vec4f, 4>();
  for (var n = 0u; n < uniforms.out; n += TILE) {
    load_dy(first_row, n + lane % TILE, lane);
    load_weights(n + lane / 2u, first_column + lane % 2u * 16u, lane * 4u);
    workgroupBarrier();
    for (var i = 0u; i < TILE; i++) {
      let left = dy_tile[i * PITCH + lane / QUADS];
      let right = w_tile[i * QUADS + lane % QUADS];
      sums[0] += left.x * right;
      sums[1] += left.y * right;
      sums[2] += left.z * right;
      sums[3] += left.w * right;
    }
    workgroupBarrier();
  }

  let k = first_column + 4u * (lane % QUADS);
  for (var i = 0u; i < 4u; i++) {
    let row = first_row + 4u * (lane / QUADS) + i;
    if (row < step.rows && k < uniforms.in_features) {
      let values = sums[i] + adapted(row, k);
      for (var j = 0u; j < 4u && k + j < uniforms.in_features; j++) {
        dx[row * uniforms.dx_stride + k + j] = values[j];
      }
    }
  }
}
