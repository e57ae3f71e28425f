// Input of the hyper-network, forward.
//   v[b * ids + l, :] = [roles[role_ids[b], :] ; layers[l, :]],  ids = number of adapted layers
// One invocation per element of v: columns along x, rows along y.
// Reference: HyCoRA (arXiv 2511.08017), the concatenation e_role ; e_layer. Wrapper: src/kernels/roleLayerInput.ts

override WORKGROUP_SIZE: u32 = 64u;

struct Uniforms {
  layer_ids: u32,
  role_columns: u32,
  layer_columns: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> roles: array<f32>; // [roles, role_columns]
@group(0) @binding(2) var<storage, read> layers: array<f32>; // [layer_ids, layer_columns]
@group(0) @binding(3) var<storage, read> role_ids: array<u32>; // [blocks]
@group(0) @binding(4) var<storage, read_write> v: array<f32>; // [blocks * layer_ids, role_columns + layer_columns]

@compute @workgroup_size(WORKGROUP_SIZE)
fn role_layer_input(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) grid: vec3u,
) {
  let columns = uniforms.role_columns + uniforms.layer_columns;
  let column = invocation.x;
  let row = invocation.y + invocation.z * grid.y;
  if (column >= columns) {
    return;
  }
  var value = 0.0;
  if (column < uniforms.role_columns) {
    value = roles[role_ids[row / uniforms.layer_ids] * uniforms.role_columns + column];
  } else {
    value = layers[(row % uniforms.layer_ids) * uniforms.layer_columns + column - uniforms.role_columns];
  }
  v[row * columns + column] = value;
}
