// InfoNCE of each row against all roles, and its gradient in place of the logits.
//   loss[i] = scales[0]·(log Σ_c n[c]·e^{l[i, c]} − l[i, role_ids[i]])
//   l'[i, c] = scales[1]·(n[c]·e^{l[i, c]} / Σ_k n[k]·e^{l[i, k]} − [c = role_ids[i]])
// n[c] says how often role c stands in the denominator: once each, or as often as the batch has it. One workgroup per
// row; each invocation strides over the roles with a running maximum and sum of its own.
// Reference: van den Oord et al. 2018, eq. 4; tests/reference/infoNce.ts. Wrapper: src/kernels/infoNce.ts

const WORKGROUP_SIZE: u32 = 64u;
const LOWEST = -3.0e38;

struct Uniforms {
  roles: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> role_ids: array<u32>; // [rows]
@group(0) @binding(2) var<storage, read> occurrences: array<f32>; // [roles], n
@group(0) @binding(3) var<storage, read> scales: array<f32>; // [2], of the losses and of the gradient
@group(0) @binding(4) var<storage, read_write> logits: array<f32>; // [rows, roles]
@group(0) @binding(5) var<storage, read_write> loss: array<f32>; // [rows]

var<workgroup> partial: array<vec2f, WORKGROUP_SIZE>; // maximum, Σ n·e^(l − maximum)

@compute @workgroup_size(WORKGROUP_SIZE)
fn info_nce(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let base = workgroup.x * uniforms.roles;
  let own = min(role_ids[workgroup.x], uniforms.roles - 1u);
  let own_logit = logits[base + own];

  var highest = LOWEST;
  var total = 0.0;
  for (var c = lane; c < uniforms.roles; c += WORKGROUP_SIZE) {
    let value = logits[base + c];
    let peak = max(value, highest);
    if (occurrences[c] > 0.0) {
      total = total * exp(highest - peak) + occurrences[c] * exp(value - peak);
      highest = peak;
    }
  }
  partial[lane] = vec2f(highest, total);
  workgroupBarrier();

  // A lane without a role of its own has a sum of 0.
  var peak = LOWEST;
  var sum = 0.0;
  for (var i = 0u; i < min(WORKGROUP_SIZE, uniforms.roles); i++) {
    if (partial[i].y > 0.0) {
      let higher = max(peak, partial[i].x);
      sum = sum * exp(peak - higher) + partial[i].y * exp(partial[i].x - higher);
      peak = higher;
    }
  }

  for (var c = lane; c < uniforms.roles; c += WORKGROUP_SIZE) {
    let present = occurrences[c] > 0.0;
    let share = select(0.0, occurrences[c] * exp(min(logits[base + c] - peak, 0.0)) / sum, present);
    logits[base + c] = scales[1] * (share - select(0.0, 1.0, c == own));
  }
  if (lane == 0u) {
    loss[workgroup.x] = scales[0] * (log(sum) + (peak - own_logit));
  }
}
