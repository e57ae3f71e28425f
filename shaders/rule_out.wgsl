// What guidance must not lead to is ruled out, in place, behind adjust_logits.
//   logits[0, v] = LOWEST where l[v] < max l - doubt,  l = logits[1],  max l = the largest of partials[1]
//   partials[0, group] = (bits of the largest of logits[0, v] with v % groups = group, its id; the lowest id of equal ones)
//   where one of partials[1] has NO_TOKEN: that one
// One invocation per group, each of which looks for max l itself: that takes no barrier, and no second kernel.
// Reference: Li et al. 2023 (contrastive decoding), section 3.3. Wrapper: src/kernels/ruleOut.ts

const WORKGROUP_SIZE: u32 = 64u;
const LOWEST: f32 = -3e38;
const NO_TOKEN: u32 = 0xffffffffu;

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
  guidance: f32,
  end_bonus: f32,
  end_from: u32, // position of the last token fed
  doubt: f32, // nats below the likeliest up to which guidance may lead
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> sampling: Sampling; // 11 words
@group(0) @binding(2) var<storage, read_write> logits: array<f32>; // [rows >= 2, vocabulary]
@group(0) @binding(3) var<storage, read_write> partials: array<vec2u>; // [2, groups]

@compute @workgroup_size(WORKGROUP_SIZE)
fn rule_out(@builtin(global_invocation_id) invocation: vec3u) {
  let group = invocation.x;
  if (group >= uniforms.groups) {
    return;
  }
  var peak = LOWEST;
  var is_refused = false;
  for (var i = uniforms.groups; i < 2u * uniforms.groups; i++) {
    peak = max(peak, bitcast<f32>(partials[i].x));
    is_refused = is_refused || partials[i].y == NO_TOKEN;
  }
  let least = peak - sampling.doubt;
  var best = LOWEST;
  var best_id = uniforms.vocabulary - 1u;
  for (var v = group; v < uniforms.vocabulary; v += uniforms.groups) {
    let value = logits[v];
    if (logits[uniforms.vocabulary + v] < least) {
      logits[v] = LOWEST;
    } else if (value > best) {
      best = value;
      best_id = v;
    }
  }
  let chosen = vec2u(bitcast<u32>(best), best_id);
  partials[group] = select(chosen, vec2u(bitcast<u32>(peak), NO_TOKEN), is_refused);
}
