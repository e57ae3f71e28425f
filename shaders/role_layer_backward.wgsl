// Input of the hyper-network, backward; the gradients of both tables accumulate.
//   dlayers[l, :] = dlayers[l, :] + Σ_b dv[b·ids + l, role_columns:]      b < count[0]
//   droles[role_ids[b], :] = droles[role_ids[b], :] + Σ_l dv[b·ids + l, :role_columns]      no role twice
// Columns along x; along y first the layer ids, then the blocks. One invocation sums one element in order.
// Reference: the concatenation e_role ; e_layer, differentiated; tests/reference/roleLayerBackward.ts.
// Wrapper: src/kernels/roleLayerBackward.ts

override WORKGROUP_SIZE: u32 = 64u;

struct Uniforms {
  layer_ids: u32,
  role_columns: u32,
  layer_columns: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> dv: array<f32>; // [blocks * layer_ids, role_columns + layer_columns]
@group(0) @binding(2) var<storage, read> role_ids: array<u32>; // [blocks]
@group(0) @binding(3) var<storage, read> count: array<u32>; // [1]
@group(0) @binding(4) var<storage, read_write> droles: array<f32>; // [roles, role_columns]
@group(0) @binding(5) var<storage, read_write> dlayers: array<f32>; // [layer_ids, layer_columns]

@compute @workgroup_size(WORKGROUP_SIZE)
fn role_layer_backward(@builtin(global_invocation_id) invocation: vec3u) {
  let column = invocation.x;
  let columns = uniforms.role_columns + uniforms.layer_columns;
  var sum = 0.0;
  if (invocation.y < uniforms.layer_ids) {
    let id = invocation.y;
    if (column < uniforms.layer_columns) {
      for (var b = 0u; b < count[0]; b++) {
        sum += dv[(b * uniforms.layer_ids + id) * columns + uniforms.role_columns + column];
      }
      dlayers[id * uniforms.layer_columns + column] += sum;
    }
    return;
  }
  let block = invocation.y - uniforms.layer_ids;
  if (block < count[0] && column < uniforms.role_columns) {
    for (var id = 0u; id < uniforms.layer_ids; id++) {
      sum += dv[(block * uniforms.layer_ids + id) * columns + column];
    }
    droles[role_ids[block] * uniforms.role_columns + column] += sum;
  }
}
