// AdamW: one step of a range of parameters.
//   g = report[1]·gradient[i]      m = β₁·m + (1 − β₁)·g      v = β₂·v + (1 − β₂)·g²
//   value[i] = value[i] − rate·weightDecay·value[i] − rate·(m/correction₁) / (√(v/correction₂) + epsilon)
//   settings = [clip, β₁, 1 − β₁, β₂, 1 − β₂, correction₁, correction₂, epsilon, weightDecay, rate of group 0, of group 1, …]
// One invocation per parameter, the grid striding over the range. Where report[2] counts a gradient that is not finite,
// nothing changes. Only value, m and v are written.
// Reference: Loshchilov & Hutter 2019, algorithm 2; tests/reference/adamW.ts. Wrapper: src/kernels/adamW.ts

const WORKGROUP_SIZE: u32 = 64u;

struct Uniforms {
  first: u32,
  length: u32,
  group: u32, // of learning rates
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> settings: array<f32>; // [9 + groups]
@group(0) @binding(2) var<storage, read> report: array<f32>; // [4], see gradient_norm
@group(0) @binding(3) var<storage, read> gradient: array<f32>; // [≥ first + length]
@group(0) @binding(4) var<storage, read_write> value: array<f32>; // [≥ first + length]
@group(0) @binding(5) var<storage, read_write> first_moment: array<f32>; // [≥ first + length]
@group(0) @binding(6) var<storage, read_write> second_moment: array<f32>; // [≥ first + length]

@compute @workgroup_size(WORKGROUP_SIZE)
fn adam_w(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) grid: vec3u,
) {
  if (report[2] > 0.0) {
    return;
  }
  let rate = settings[9u + uniforms.group];
  for (var offset = invocation.x; offset < uniforms.length; offset += grid.x * WORKGROUP_SIZE) {
    let i = uniforms.first + offset;
    let g = report[1] * gradient[i];
    let m = settings[1] * first_moment[i] + settings[2] * g;
    let v = settings[3] * second_moment[i] + settings[4] * g * g;
    let direction = (m / settings[5]) / (sqrt(v / settings[6]) + settings[7]);
    value[i] -= rate * (settings[8] * value[i] + direction);
    first_moment[i] = m;
    second_moment[i] = v;
  }
}
