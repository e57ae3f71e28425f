// Cross entropy of each row, and its gradient in place of the logits.
//   loss[r] = weight[r]·(log Σ_v e^{l[r, v]} − l[r, target[r]])
//   l'[r, v] = weight[r]·(e^{l[r, v]} / Σ_i e^{l[r, i]} − [v = target[r]])
// One workgroup per row; each invocation strides over the vocabulary with a running maximum and sum of its own.
// Reference: Milakov & Gimelshein 2018 (online softmax); tests/reference/crossEntropy.ts. Wrapper: src/kernels/crossEntropy.ts

const WORKGROUP_SIZE = 256u;
const LOWEST = -3.0e38;

struct Uniforms {
  vocabulary: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> targets: array<u32>; // [rows]
@group(0) @binding(2) var<storage, read> weights: array<f32>; // [rows]
@group(0) @binding(3) var<storage, read_write> logits: array<f32>; // [rows, vocabulary]
@group(0) @binding(4) var<storage, read_write> loss: array<f32>; // [rows]

var<workgroup> partial: array<vec2f, WORKGROUP_SIZE>; // maximum, Σ e^(l − maximum)

@compute @workgroup_size(WORKGROUP_SIZE)
fn cross_entropy(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.x;
  let base = row * uniforms.vocabulary;
  let target_index = min(targets[row], uniforms.vocabulary - 1u);
  let target_logit = logits[base + target_index];

  var highest = LOWEST;
  var total = 0.0;
  for (var v = lane; v < uniforms.vocabulary; v += WORKGROUP_SIZE) {
    let value = logits[base + v];
    if (value > highest) {
      total = total * exp(highest - value) + 1.0;
      highest = value;
    } else {
      total += exp(value - highest);
    }
  }
  partial[lane] = vec2f(highest, total);
  workgroupBarrier();

  for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (lane < stride) {
      let mine = partial[lane];
      let other = partial[lane + stride];
      let peak = max(mine.x, other.x);
      partial[lane] = vec2f(peak, mine.y * exp(mine.x - peak) + other.y * exp(other.x - peak));
    }
    workgroupBarrier();
  }

  let peak = partial[0].x;
  let sum = partial[0].y;
  let weight = weights[row];
  for (var v = lane; v < uniforms.vocabulary; v += WORKGROUP_SIZE) {
    let probability = exp(logits[base + v] - peak) / sum;
    logits[base + v] = weight * (probability - select(0.0, 1.0, v == target_index));
  }
  if (lane == 0u) {
    loss[row] = weight * (log(sum) + (peak - target_logit));
  }
}
