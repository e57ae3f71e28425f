// Repetition penalty, in place, with the largest logit of each group of ids.
//   logits[0, v] = counts[v] > 0 ? (l > 0 ? l / penalty : l * penalty) : l,  l = logits[0, v]
//   partials[g] = (bits of the largest of logits[0, v] with v % groups = g, its id; the lowest id of equal ones)
//   where one of them is NaN or infinite: (bits of HIGHEST, NO_TOKEN)
// One invocation per group; a penalty of 1 writes no logit. No invocation waits for another: barriers are what costs
// software drivers most, and the next kernel reduces the groups anyway.
// Reference: Keskar et al. 2019 (CTRL), section 4.1; Hugging Face's RepetitionPenaltyLogitsProcessor.
// Wrapper: src/kernels/penaliseLogits.ts

const WORKGROUP_SIZE: u32 = 64u;
const LOWEST: f32 = -3e38;
const HIGHEST: f32 = 0x1.fffffep+127f;
const NO_TOKEN: u32 = 0xffffffffu;
const INFINITY_BITS: u32 = 0x7f800000u;
const MINUS_INFINITY_BITS: u32 = 0xff800000u;

struct Uniforms {
  vocabulary: u32,
  groups: u32,
}

struct Sampling {
  temperature: f32,
  top_k: u32,
  top_p: f32,
  min_p: f32,
  repetition_penalty: f32,
  repetition_window: u32,
  seed: u32,
  unused: u32,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> sampling: Sampling; // 8 words
@group(0) @binding(2) var<storage, read> counts: array<u32>; // [vocabulary]
@group(0) @binding(3) var<storage, read_write> logits: array<u32>; // [rows, vocabulary], bits of f32
@group(0) @binding(4) var<storage, read_write> partials: array<vec2u>; // [groups]

@compute @workgroup_size(WORKGROUP_SIZE)
fn penalise_logits(@builtin(global_invocation_id) invocation: vec3u) {
  let group = invocation.x;
  if (group >= uniforms.groups) {
    return;
  }
  let penalty = sampling.repetition_penalty;
  var best = LOWEST;
  var best_id = uniforms.vocabulary - 1u;
  for (var v = group; v < uniforms.vocabulary; v += uniforms.groups) {
    let bits = logits[v];
    // By its bits: a compiler may take it that a float is always a number. Minus infinity forbids a token.
    if ((bits & INFINITY_BITS) == INFINITY_BITS) {
      if (bits != MINUS_INFINITY_BITS) {
        best = HIGHEST;
        best_id = NO_TOKEN;
      }
      continue;
    }
    var value = bitcast<f32>(bits);
    if (penalty != 1.0 && counts[v] > 0u) {
      value = select(value * penalty, value / penalty, value > 0.0);
      logits[v] = bitcast<u32>(value);
    }
    if (value > best) {
      best = value;
      best_id = v;
    }
  }
  partials[group] = vec2u(bitcast<u32>(best), best_id);
}
