// Sum of squares of a range, in parts, and whether every value is usable.
//   partial[w] = (Σ_i x[first + i]², number of unusable x[first + i]),  i the w-th part of [0, length)
// Workgroup w takes the pieces of 256 values w, w + groups, …; a value is unusable when it is not finite or at least 2^50,
// where squares would leave float32. WGSL may assume that infinities and NaN do not exist, so the exponent's bits tell.
// Reference: the definition; tests/reference/adamW.ts. Wrapper: src/kernels/sumOfSquares.ts

const WORKGROUP_SIZE: u32 = 256u;
const EXPONENT: u32 = 0x7f800000u;
const LARGEST: u32 = 0x58800000u; // 2^50

struct Uniforms {
  first: u32,
  length: u32,
  groups: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> x: array<u32>; // float32 bits
@group(0) @binding(2) var<storage, read_write> partials: array<f32>; // [groups, 2]

var<workgroup> partial: array<vec2f, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn sum_of_squares(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  var sums = vec2f();
  for (
    var i = workgroup.x * WORKGROUP_SIZE + lane;
    i < uniforms.length;
    i += uniforms.groups * WORKGROUP_SIZE
  ) {
    let bits = x[uniforms.first + i];
    if ((bits & EXPONENT) >= LARGEST) {
      sums.y += 1.0;
    } else {
      let value = bitcast<f32>(bits);
      sums.x += value * value;
    }
  }
  partial[lane] = sums;
  workgroupBarrier();

  for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (lane < stride) {
      partial[lane] += partial[lane + stride];
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    partials[2u * workgroup.x] = partial[0].x;
    partials[2u * workgroup.x + 1u] = partial[0].y;
  }
}
