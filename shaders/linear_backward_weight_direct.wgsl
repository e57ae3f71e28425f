// Linear layer, backward with respect to weight and bias: the equation of linear_backward_weight.wgsl, without workgroup memory.
//   dweight[o, i] = dweight[o, i] + scale·Σ_r g[r, o]·x[from(r), i]      dbias[o] = dbias[o] + scale·Σ_r g[r, o]
//   g[r, o] = dy[to(r), o], and 0 where gate[to(r), o] ≤ 0 with has_gate: the gradient through a ReLU
//   from(r) and to(r) as in linear, the slot of a block being its number; the sums go over the first count[0] blocks
// Workgroup (g, t): 32 outputs and 32 inputs of dweight, a lane 4 × 4 of them along all rows; the first lane of each line
// sums dbias. Processors that emulate a GPU pay more for barriers and workgroup memory than for reading twice.
// Reference: the definition, differentiated; tests/reference/linearBackward.ts. Wrapper: src/kernels/linearBackwardWeight.ts

const EACH: u32 = 4u; // outputs and inputs of a lane
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
  scale: f32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // laid out as y of linear
@group(0) @binding(2) var<storage, read> gate: array<f32>; // laid out as dy, any buffer without has_gate
@group(0) @binding(3) var<storage, read> x: array<f32>; // [x rows, inner]
@group(0) @binding(4) var<storage, read> count: array<u32>; // [1]
@group(0) @binding(5) var<storage, read_write> dweight: array<f32>; // [columns, inner]
@group(0) @binding(6) var<storage, read_write> dbias: array<f32>; // [columns]

@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_backward_weight_direct(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let output = ((workgroup.x + workgroup.z * grid.x) * LANES + lane / LANES) * EACH;
  let input = (workgroup.y * LANES + lane % LANES) * EACH;
  if (output >= uniforms.columns || input >= uniforms.inner) {
    return;
  }
  // Outputs and inputs past the end repeat the last: their sums are never stored.
  let outputs = min(output + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.columns - 1u));
  let inputs = min(input + vec4u(0u, 1u, 2u, 3u), vec4u(uniforms.inner - 1u));
  var sums = mat4x4f();
  var bias_sums = vec4f();
  for (var block = 0u; block < count[0]; block++) {
    var d = uniforms.y_offset + block * uniforms.y_block_stride + outputs;
    var v = (uniforms.x_first_row + block * uniforms.x_block_rows) * uniforms.inner + inputs;
    for (var row = 0u; row < uniforms.block_rows; row++) {
      var g = vec4f(dy[d.x], dy[d.y], dy[d.z], dy[d.w]);
      if (uniforms.has_gate != 0u) {
        g = select(g, vec4f(), vec4f(gate[d.x], gate[d.y], gate[d.z], gate[d.w]) <= vec4f());
      }
      let values = vec4f(x[v.x], x[v.y], x[v.z], x[v.w]);
      sums += mat4x4f(g.x * values, g.y * values, g.z * values, g.w * values);
      bias_sums += g;
      d += uniforms.columns;
      v += uniforms.inner;
    }
  }
  for (var i = 0u; i < EACH && output + i < uniforms.columns; i++) {
    for (var j = 0u; j < EACH && input + j < uniforms.inner; j++) {
      dweight[(output + i) * uniforms.inner + input + j] += uniforms.scale * sums[i][j];
    }
    if (input == 0u) {
      dbias[output + i] += uniforms.scale * bias_sums[i];
    }
  }
}
