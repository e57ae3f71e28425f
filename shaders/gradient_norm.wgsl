// The norm of all gradients and the factor that clips it.
//   report[0] = norm = √(Σ_w partials[w, 0])      report[2] = unusable = Σ_w partials[w, 1]
//   report[1] = min(1, clip / (norm + 1e-6)), 1 where clip = settings[0] is 0
// One workgroup; each invocation strides over the parts.
// Reference: Pascanu, Mikolov & Bengio 2013, algorithm 1; tests/reference/adamW.ts. Wrapper: src/kernels/gradientNorm.ts

const WORKGROUP_SIZE: u32 = 64u;

struct Uniforms {
  groups: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> partials: array<f32>; // [groups, 2]
@group(0) @binding(2) var<storage, read> settings: array<f32>; // [9 + groups], see adam_w
@group(0) @binding(3) var<storage, read_write> report: array<f32>; // [4]

var<workgroup> partial: array<vec2f, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn gradient_norm(@builtin(local_invocation_index) lane: u32) {
  var sums = vec2f();
  for (var w = lane; w < uniforms.groups; w += WORKGROUP_SIZE) {
    sums += vec2f(partials[2u * w], partials[2u * w + 1u]);
  }
  partial[lane] = sums;
  workgroupBarrier();

  if (lane == 0u) {
    var total = vec2f();
    for (var i = 0u; i < min(WORKGROUP_SIZE, uniforms.groups); i++) {
      total += partial[i];
    }
    let norm = sqrt(total.x);
    let clip = settings[0];
    report[0] = norm;
    report[1] = select(1.0, min(1.0, clip / (norm + 1.0e-6)), clip > 0.0);
    report[2] = total.y;
    report[3] = 0.0;
  }
}
