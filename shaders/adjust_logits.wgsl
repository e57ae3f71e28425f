// What is done to the logits before one is chosen, in place, with the largest logit of each group of ids.
//   g = l + guidance * (l - logits[1, v]),  l = logits[0, v]
//   p = counts[v] > 0 ? (g > 0 ? g / penalty : g * penalty) : g
//   logits[0, v] = p + (v ends a turn, history[position] a sentence, position >= end_from ? end_bonus : 0)
//   partials[group] = (bits of the largest of logits[0, v] with v % groups = group, its id; the lowest id of equal ones)
//   where one of those that count is NaN or infinite: (bits of HIGHEST, NO_TOKEN)
// With guidance the largest are those of l, in partials[groups + group], and logits[1, v] = l, or HIGHEST where ending is worth
// a bonus: rule_out goes on from there.
// One invocation per group; neutral settings write no logit. No invocation waits for another: barriers are what costs
// software drivers most, and the next kernel reduces the groups anyway.
// Reference: Keskar et al. 2019 (CTRL), section 4.1; Hugging Face's RepetitionPenaltyLogitsProcessor; Shi et al. 2023
// (context-aware decoding), equation 2; Li et al. 2023 (contrastive decoding), section 3.3. Wrapper: src/kernels/adjustLogits.ts

const WORKGROUP_SIZE: u32 = 64u;
const LOWEST: f32 = -3e38;
const HIGHEST: f32 = 0x1.fffffep+127f;
const NO_TOKEN: u32 = 0xffffffffu;
const INFINITY_BITS: u32 = 0x7f800000u;
const MINUS_INFINITY_BITS: u32 = 0xff800000u;
const MARKED: u32 = 16u; // tokens whose marks are in a word
const ENDS_SENTENCE: u32 = 1u;
const ENDS_TURN: u32 = 2u;

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

struct Row {
  position: u32,
  slot: u32,
  scale: f32,
  sequence: u32,
}

struct Step {
  rows: u32,
  row: array<Row>,
}

@group(0) @binding(0) var<uniform> uniforms: Uniforms;
@group(0) @binding(1) var<storage, read> sampling: Sampling; // 11 words
@group(0) @binding(2) var<storage, read> counts: array<u32>; // [vocabulary]
@group(0) @binding(3) var<storage, read> step: Step; // row[0].position: of the last token fed
@group(0) @binding(4) var<storage, read> history: array<u32>; // [capacity]
@group(0) @binding(5) var<storage, read> marks: array<u32>; // [vocabulary / 16], two bits a token
@group(0) @binding(6) var<storage, read_write> logits: array<u32>; // [rows, vocabulary], bits of f32
@group(0) @binding(7) var<storage, read_write> partials: array<vec2u>; // [2, groups]

/// NaN and infinity, by their bits: a compiler may take it that a float is always a number. Minus infinity is none of them.
fn is_no_number(bits: u32) -> bool {
  return (bits & INFINITY_BITS) == INFINITY_BITS && bits != MINUS_INFINITY_BITS;
}

fn is_marked(token: u32, mark: u32) -> bool {
  return ((marks[token / MARKED] >> (2u * (token % MARKED))) & mark) != 0u;
}

/// What ending the turn is worth now.
fn end_bonus() -> f32 {
  let position = step.row[0].position;
  if (sampling.end_bonus == 0.0 || position < sampling.end_from) {
    return 0.0;
  }
  return select(0.0, sampling.end_bonus, is_marked(history[position], ENDS_SENTENCE));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn adjust_logits(@builtin(global_invocation_id) invocation: vec3u) {
  let group = invocation.x;
  if (group >= uniforms.groups) {
    return;
  }
  let penalty = sampling.repetition_penalty;
  let bonus = end_bonus();
  let is_guided = sampling.guidance != 0.0;
  var best = LOWEST;
  var best_id = uniforms.vocabulary - 1u;
  for (var v = group; v < uniforms.vocabulary; v += uniforms.groups) {
    let bits = logits[v];
    let other = select(0u, logits[uniforms.vocabulary + v], is_guided);
    if (is_no_number(bits) || is_no_number(other)) {
      best = HIGHEST;
      best_id = NO_TOKEN;
      continue;
    }
    // Minus infinity forbids a token; what the other row forbids says nothing of this one.
    if (bits == MINUS_INFINITY_BITS) {
      continue;
    }
    let own = bitcast<f32>(bits);
    var value = own;
    if (is_guided && other != MINUS_INFINITY_BITS) {
      value += sampling.guidance * (value - bitcast<f32>(other));
    }
    if (penalty != 1.0 && counts[v] > 0u) {
      value = select(value * penalty, value / penalty, value > 0.0);
    }
    let is_end = bonus != 0.0 && is_marked(v, ENDS_TURN);
    if (is_end) {
      value += bonus;
    }
    if (bitcast<u32>(value) != bits) {
      logits[v] = bitcast<u32>(value);
    }
    if (is_guided) {
      logits[uniforms.vocabulary + v] = select(bits, bitcast<u32>(HIGHEST), is_end);
    }
    let rank = select(value, own, is_guided);
    if (rank > best) {
      best = rank;
      best_id = v;
    }
  }
  let half = select(0u, uniforms.groups, is_guided);
  partials[half + group] = vec2u(bitcast<u32>(best), best_id);
}
