// Adapted projection of a few rows, forward.
//   y[r, n]                     = Σ_k x[r, k]·W[n, k]                            n < out
//   y[r, out + part·rank + j]   = Σ_k x[r, k]·A[slot(r), part][k, j]             what B takes; the consumer of y adds scale·Σ_j u[j]·B[j, n]
// Workgroup (g, r), r one row or two neighbours: g below `out_groups` takes four outputs for each team of LANES lanes, a lane every LANES-th vector along
// k; g from `a_first_group` on, which may be the same workgroup, takes its share of the quads of rank columns, SLICES lanes
// each, a lane every SLICES-th vector along k.
// Reference: paper eq. 7; tests/reference/project.ts. Wrapper: src/kernels/project.ts

override FORMAT: u32 = 0u; // 0: f32, 1: f16, 2: bf16, 4: 4-bit blocks, 8: 8-bit blocks
override HALF_SCALES: bool = true; // block scales are halves, two a word; else f32
override ZEROS: u32 = 0u; // of blocks: 0: bytes, 1: f32, 2: none, and codes name one of 16 levels, f32, in their place
override ROWS: u32 = 1u; // of a workgroup, 1 or 2, which share what is read of the weights
override LANES: u32 = 8u; // of a team, along k; divides the workgroup
const OUTPUTS = 4u; // of a team
override SLICES: u32 = 32u; // lanes of a quad of rank columns, along k; divides the workgroup
const WORKGROUP_SIZE = 64u;

struct Uniforms {
  out: u32,
  in_vectors: u32,
  row_vectors: u32,
  block_size: u32,
  row_blocks: u32,
  out_groups: u32,
  x_stride: u32,
  y_stride: u32,
  in_features: u32,
  rank: u32,
  a_offset: u32,
  a_part_stride: u32,
  a_slot_stride: u32,
  last_row_only: u32,
  a_first_group: u32,
  a_share: u32, // of each workgroup from there on, quads of rank columns in 1 / 65536
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
@group(0) @binding(2) var<storage, read> x: array<vec4f>; // [rows, x_stride]
@group(0) @binding(3) var<storage, read> weights: array<vec4u>; // [out, row_vectors]
@group(0) @binding(4) var<storage, read> scales: array<u32>; // [out, row_blocks]
@group(0) @binding(5) var<storage, read> zeros: array<u32>; // [out, row_blocks], or [16] levels
@group(0) @binding(6) var<storage, read> a: array<vec4f>; // [slots, …, in, rank]
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // [rows, y_stride]

var<workgroup> output_partial: array<vec4f, ROWS * WORKGROUP_SIZE>;
var<workgroup> rank_partial: array<vec4f, ROWS * WORKGROUP_SIZE>;

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

fn four_scales(block: vec4u) -> vec4f {
  return vec4f(block_scale(block.x), block_scale(block.y), block_scale(block.z), block_scale(block.w));
}

fn four_zeros(block: vec4u) -> vec4f {
  return vec4f(block_zero(block.x), block_zero(block.y), block_zero(block.z), block_zero(block.w));
}

// The bytes of a word of each of four weight rows; a row is a column of the matrix, so that `x * bytes(w)` is four dots.
fn bytes(w: vec4u) -> mat4x4f {
  return mat4x4f(
    code_values(w.x),
    code_values(w.y),
    code_values(w.z),
    code_values(w.w),
  );
}

// Four halves of each of four weight rows.
fn halves(w0: vec2u, w1: vec2u, w2: vec2u, w3: vec2u) -> mat4x4f {
  return mat4x4f(
    vec4f(two_halves(w0.x), two_halves(w0.y)),
    vec4f(two_halves(w1.x), two_halves(w1.y)),
    vec4f(two_halves(w2.x), two_halves(w2.y)),
    vec4f(two_halves(w3.x), two_halves(w3.y)),
  );
}

// A vector of x against four weight rows, and the other row's where a workgroup takes two.
fn row_products(x_first: vec4f, x_second: vec4f, w: mat4x4f) -> mat2x4f {
  var result = mat2x4f(x_first * w, vec4f());
  if (ROWS == 2u) {
    result[1] = x_second * w;
  }
  return result;
}

fn vector_pair(b: vec2u, at: u32, w: mat4x4f) -> mat2x4f {
  return row_products(x[b.x + at], x[b.y + at], w);
}

// Eight 4-bit codes of a word of each of four weight rows against two vectors of x.
fn nibbles(w: vec4u, b: vec2u, at: u32) -> mat2x4f {
  let x0 = x[b.x + at];
  let x1 = x[b.x + at + 1u];
  let x2 = x[b.y + at];
  let x3 = x[b.y + at + 1u];
  let even = row_products(vec4f(x0.xz, x1.xz), vec4f(x2.xz, x3.xz), bytes(w & vec4u(0x0f0f0f0fu)));
  let odd = row_products(vec4f(x0.yw, x1.yw), vec4f(x2.yw, x3.yw), bytes((w >> vec4u(4u)) & vec4u(0x0f0f0f0fu)));
  return even + odd;
}

// Four vectors of x added up.
fn four_added(b: u32) -> f32 {
  return dot(x[b] + x[b + 1u] + x[b + 2u] + x[b + 3u], vec4f(1.0));
}

fn x_sums(b: vec2u, at: u32) -> vec2f {
  var result = vec2f(four_added(b.x + at), 0.0);
  if (ROWS == 2u) {
    result.y = four_added(b.y + at);
  }
  return result;
}

// Σ (code − zero)·scale·x over a stretch of one block, from Σ code·x and the x themselves added up.
fn scaled(sums: mat2x4f, x_sum: vec2f, block: vec4u) -> mat2x4f {
  let zero = four_zeros(block);
  let scale = four_scales(block);
  var result = mat2x4f((sums[0] - zero * x_sum.x) * scale, vec4f());
  if (ROWS == 2u) {
    result[1] = (sums[1] - zero * x_sum.y) * scale;
  }
  return result;
}

// The products of a vector of codes that name levels, word by word in a loop that a compiler cannot unroll: all of its
// choices at once take a software driver minutes to compile.
fn level_products(w: array<vec4u, 4>, n: vec4u, v: u32, b: vec2u) -> mat2x4f {
  var sums = mat2x4f();
  for (var i = 0u; i < min(4u, 4u * uniforms.in_vectors); i++) {
    let block = min((32u * v + 8u * i) / uniforms.block_size, uniforms.row_blocks - 1u);
    let scale = four_scales(n * uniforms.row_blocks + block);
    let products = nibbles(vec4u(w[0][i], w[1][i], w[2][i], w[3][i]), b, 2u * i);
    sums += mat2x4f(products[0] * scale, products[1] * scale);
  }
  return sums;
}

// The products of vector v of the weight rows n with the x that belongs to it, of the rows of x that begin at `x_bases`.
fn vector_products(n: vec4u, v: u32, x_bases: vec2u) -> mat2x4f {
  let w = n * uniforms.row_vectors + v;
  let w0 = weights[w.x];
  let w1 = weights[w.y];
  let w2 = weights[w.z];
  let w3 = weights[w.w];
  if (FORMAT == 0u) {
    let columns = mat4x4f(bitcast<vec4f>(w0), bitcast<vec4f>(w1), bitcast<vec4f>(w2), bitcast<vec4f>(w3));
    return vector_pair(x_bases, v, columns);
  }
  if (FORMAT == 1u || FORMAT == 2u) {
    let b = x_bases + 2u * v;
    return vector_pair(b, 0u, halves(w0.xy, w1.xy, w2.xy, w3.xy))
      + vector_pair(b, 1u, halves(w0.zw, w1.zw, w2.zw, w3.zw));
  }
  if (FORMAT == 8u) {
    let b = x_bases + 4u * v;
    let sums = vector_pair(b, 0u, bytes(vec4u(w0.x, w1.x, w2.x, w3.x)))
      + vector_pair(b, 1u, bytes(vec4u(w0.y, w1.y, w2.y, w3.y)))
      + vector_pair(b, 2u, bytes(vec4u(w0.z, w1.z, w2.z, w3.z)))
      + vector_pair(b, 3u, bytes(vec4u(w0.w, w1.w, w2.w, w3.w)));
    return scaled(sums, x_sums(b, 0u), n * uniforms.row_blocks + 16u * v / uniforms.block_size);
  }
  let b = x_bases + 8u * v;
  if (ZEROS == 2u) {
    return level_products(array<vec4u, 4>(w0, w1, w2, w3), n, v, b);
  }
  let first = nibbles(vec4u(w0.x, w1.x, w2.x, w3.x), b, 0u) + nibbles(vec4u(w0.y, w1.y, w2.y, w3.y), b, 2u);
  let second = nibbles(vec4u(w0.z, w1.z, w2.z, w3.z), b, 4u) + nibbles(vec4u(w0.w, w1.w, w2.w, w3.w), b, 6u);
  let first_x = x_sums(b, 0u);
  let second_x = x_sums(b, 4u);
  let block = 32u * v / uniforms.block_size;
  let row_block = n * uniforms.row_blocks;
  if (uniforms.block_size > 16u) {
    return scaled(first + second, first_x + second_x, row_block + block);
  }
  // The second half lies past the data where a row has an odd number of such blocks: x is zero there.
  let second_block = min(block + 1u, uniforms.row_blocks - 1u);
  return scaled(first, first_x, row_block + block) + scaled(second, second_x, row_block + second_block);
}

// What a lane adds to four outputs.
fn output_sums(lane: u32, first: u32, x_bases: vec2u) -> mat2x4f {
  // Rows past the end read the last row: their sums are never stored.
  let n = min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.out - 1u));
  var sums = mat2x4f();
  for (var v = lane % LANES; v < uniforms.in_vectors; v += LANES) {
    sums += vector_products(n, v, x_bases);
  }
  return sums;
}

// What a lane adds to a quad of rank columns.
fn rank_sums(slice: u32, quad: u32, entry: Row, x_base: u32) -> vec4f {
  let quads = uniforms.rank / 4u;
  let part = quad / quads;
  let base = (entry.slot * uniforms.a_slot_stride + uniforms.a_offset + part * uniforms.a_part_stride) / 4u + quad - part * quads;
  // A row that plays no role multiplies nothing.
  let vectors = select(0u, (uniforms.in_features + 3u) / 4u, entry.scale != 0.0);
  var sum = vec4f();
  for (var v = slice; v < vectors; v += SLICES) {
    // Where the input ends within a vector, its padding is zero.
    let values = x[x_base + v];
    let first = base + 4u * v * quads;
    sum += values.x * a[first] + values.y * a[first + quads]
      + values.z * a[first + 2u * quads] + values.w * a[first + 3u * quads];
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn project(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Of an odd number of rows the last is its own neighbour, and stored once.
  var rows = vec2u(workgroup.y * ROWS, min(workgroup.y * ROWS + ROWS, step.rows) - 1u);
  if (uniforms.last_row_only == 1u) {
    rows = vec2u(step.rows - 1u);
  }
  let x_bases = rows * uniforms.x_stride / 4u;

  let first = (workgroup.x * WORKGROUP_SIZE + lane) / LANES * OUTPUTS;
  var sums = mat2x4f();
  if (workgroup.x < uniforms.out_groups) {
    sums = output_sums(lane, first, x_bases);
    for (var r = 0u; r < ROWS; r++) {
      output_partial[r * WORKGROUP_SIZE + lane] = sums[r];
    }
  }
  var first_quad = 0u;
  var count = 0u; // of quads
  if (workgroup.x >= uniforms.a_first_group) {
    let share = (workgroup.x - uniforms.a_first_group) * uniforms.a_share;
    first_quad = share >> 16u;
    count = ((share + uniforms.a_share) >> 16u) - first_quad;
  }
  if (lane < count * SLICES) {
    for (var r = 0u; r < ROWS; r++) {
      let entry = step.row[rows[r]];
      rank_partial[r * WORKGROUP_SIZE + lane] = rank_sums(lane % SLICES, first_quad + lane / SLICES, entry, x_bases[r]);
    }
  }
  workgroupBarrier();

  let distinct = select(ROWS, 1u, rows.x == rows.y);
  for (var r = 0u; r < distinct; r++) {
    let partials = r * WORKGROUP_SIZE;
    let y_base = (workgroup.y * ROWS + r) * uniforms.y_stride;
    if (workgroup.x < uniforms.out_groups && lane % LANES == 0u) {
      var sum = sums[r];
      for (var i = 1u; i < LANES; i++) {
        sum += output_partial[partials + lane + i];
      }
      for (var i = 0u; i < OUTPUTS; i++) {
        if (first + i < uniforms.out) {
          y[y_base + first + i] = sum[i];
        }
      }
    }
    if (lane < 4u * count) {
      var total = 0.0;
      for (var slice = 0u; slice < SLICES; slice++) {
        total += rank_partial[partials + lane / 4u * SLICES + slice][lane % 4u];
      }
      y[y_base + uniforms.out + 4u * first_quad + lane] = total;
    }
  }
}
