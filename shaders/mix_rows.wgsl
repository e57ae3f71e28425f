// Weighted sums of rows, forward.
//   y[slots[b], c] = keep + sum_t weights[b, t] * x[sources[b, t], c],  keep = y[slots[b], c] with ACCUMULATE, else 0
// One invocation per element: columns along x, blocks along y. A weight of zero skips its row.
// Reference: the definition; blending of roles is exact because A is mixed. Wrapper: src/kernels/mixRows.ts

override ACCUMULATE: bool = false;
override WORKGROUP_SIZE: u32 = 128u;

struct Uniforms {
  columns: u32,
  terms: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [sources, columns]
@group(0) @binding(2) var<storage, read> sources: array<u32>; // [blocks, terms]
@group(0) @binding(3) var<storage, read> weights: array<f32>; // [blocks, terms]
@group(0) @binding(4) var<storage, read> slots: array<u32>; // [blocks]
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [slots, columns]

@compute @workgroup_size(WORKGROUP_SIZE)
fn mix_rows(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) grid: vec3u,
) {
  let block = workgroup.y;
  let slot = slots[block];
  for (var c = workgroup.x * WORKGROUP_SIZE + lane; c < uniforms.columns; c += grid.x * WORKGROUP_SIZE) {
    var sum = 0.0;
    if (ACCUMULATE) {
      sum = y[slot * uniforms.columns + c];
    }
    for (var t = block * uniforms.terms; t < (block + 1u) * uniforms.terms; t++) {
      if (weights[t] != 0.0) {
        sum += weights[t] * x[sources[t] * uniforms.columns + c];
      }
    }
    y[slot * uniforms.columns + c] = sum;
  }
}
