// Linear layer, backward with respect to its input: the equation of linear_backward_input.wgsl, without workgroup memory.
//   dx[from(r), i] = keep + scale·Σ_o g[r, o]·weight[o, i];  keep = dx[from(r), i] with accumulate, else 0
//   g[r, o] = dy[to(r), o], and 0 where gate[to(r), o] ≤ 0 with has_gate: the gradient through a ReLU
//   from(r) and to(r) as in linear, the slot of a block being its number; blocks from count[0] on are left alone
// Workgroup (g, t): 32 columns and 32 rows of dx, a lane 4 × 4 of them along all outputs. Processors that emulate a GPU pay
// more for barriers and workgroup memory than for reading twice.
// Reference: the definition, differentiated; tests/reference/linearBackward.ts. Wrapper: src/kernels/linearBackwardInput.ts

const EACH: u32 = 4u; // rows and columns of a lane
const LANES: u32 = 8u; // side by side; and as many one below the other
const WORKGROUP_SIZE: u32 = 64u;

struct Uniforms {
  columns: u32, // outputs of the layer
  inner: u32, // inputs of the layer
  block_rows: u32,
  x_first_row: u32,
  x_block_rows: u32,
  y_offset: u32,
  y_block_stride: u32,
  has_gate: u32,
  accumulate: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // laid out as y of linear
@group(0) @binding(2) var<storage, read> gate: array<f32>; // laid out as dy, any buffer without has_gate
@group(0) @binding(3) var<storage, read> weight: array<f32>; // [columns, inner]
@group(0) @binding(4) var<storage, read> count: array<u32>; // [1]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>; // [x rows, inner]

// Where a row begins in dy.
fn dy_row(row: u32) -> u32 {
  let block = row / uniforms.block_rows;
  return uniforms.y_offset + block * uniforms.y_block_stride + (row % uniforms.block_rows) * uniforms.columns;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_backward_input_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let rows = count[0] * uniforms.block_rows;
  let row = (workgroup.y * LANES + lane / LANES) * EACH;
  let column = (workgroup.x * LANES + lane % LANES) * EACH;
  if (row >= rows || column >= uniforms.inner) {
    return;
  }
  // Rows and columns past the end repeat the last: their sums are never stored.
  let last_row = rows - 1u;
  let r = vec4u(dy_row(row), dy_row(min(row + 1u, last_row)), dy_row(min(row + 2u, last_row)), dy_row(min(row + 3u, last_row)));
  let c = min(column + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.inner - 1u));
  var sums = mat4x4f();
  for (var o = 0u; o < uniforms.columns; o++) {
    let at = r + o;
    var g = vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
    if (uniforms.has_gate != 0u) {
      g = select(g, vec4f(), vec4f(gate[at.x], gate[at.y], gate[at.z], gate[at.w]) <= vec4f());
    }
    let w = o * uniforms.inner + c;
    let weights = vec4f(weight[w.x], weight[w.y], weight[w.z], weight[w.w]);
    sums += mat4x4f(g.x * weights, g.y * weights, g.z * weights, g.w * weights);
  }
  for (var i = 0u; i < EACH && row + i < rows; i++) {
    let block = (row + i) / uniforms.block_rows;
    let x_row = uniforms.x_first_row + block * uniforms.x_block_rows + (row + i) % uniforms.block_rows;
    for (var j = 0u; j < EACH && column + j < uniforms.inner; j++) {
      let index = x_row * uniforms.inner + column + j;
      var value = uniforms.scale * sums[i][j];
      if (uniforms.accumulate != 0u) {
        value += dx[index];
      }
      dx[index] = value;
    }
  }
}
