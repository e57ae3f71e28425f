// One token from row 0 of the logits, and the step of everything that depends on it.
//   token = arg-max logits at temperature 0, else ~ exp((logits - max) / temperature) over the kept ids
//   kept  = { top_k highest }, of these the likeliest with sum p >= top_p, of these { p >= min_p * max p }; ties stay
//   no token where a logit is no number, or all are forbidden: results[position % 4] = NO_TOKEN, and nothing follows
//   history[position + 1] = results[position % 4] = token = tokens[r];  counts and the positions of all rows r follow
// One workgroup. Thresholds are found without sorting: the smallest code whose running sum reaches a goal, four bits of
// the code at a time. All sums have a fixed order, so equal inputs give equal tokens, bit for bit.
// Reference: the order of Hugging Face's logits warpers; Holtzman et al. 2020 (top-p). Wrapper: src/kernels/sampleToken.ts

const LANES: u32 = 256u;
const HALF_LANES: u32 = 128u;
const BINS: u32 = 16u; // of one search pass: four bits of a code
const BIN_BITS: u32 = 4u;
const RESULT_RING: u32 = 4u;
const EVERYTHING: u32 = 0xffffffffu;
const NO_TOKEN: u32 = 0xffffffffu;
const LOWEST: f32 = -3e38;

struct Uniforms {
  vocabulary: u32,
  partials: u32,
  capacity: u32,
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
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [rows, vocabulary]
@group(0) @binding(3) var<storage, read> partials: array<vec2u>; // [2, partials], of which the first are read: bits of a logit, its id
@group(0) @binding(4) var<storage, read_write> counts: array<u32>; // [vocabulary]
@group(0) @binding(5) var<storage, read_write> history: array<u32>; // [capacity]
@group(0) @binding(6) var<storage, read_write> step: Step; // row[r].position: of the last token fed
@group(0) @binding(7) var<storage, read_write> tokens: array<u32>; // [rows]
@group(0) @binding(8) var<storage, read_write> results: array<u32>; // [RESULT_RING]

/// What is being searched: codes from `low` to `limit`; `before` is the sum of all lower ones, `goal` the sum to reach.
struct Search {
  low: u32,
  limit: u32,
  before: f32,
  goal: f32,
  is_done: u32,
}

/// Whose share of the ids the drawn token lies in, and how much of the draw is left for that share.
struct Draw {
  lane: u32,
  rest: f32,
}

var<workgroup> scratch: array<f32, 2048>; // [BINS, HALF_LANES] of a search; the weights of one lane's share
var<workgroup> sums: array<f32, LANES>;
var<workgroup> ids: array<u32, LANES>;
var<workgroup> members: atomic<u32>;
var<workgroup> search: Search;
var<workgroup> draw: Draw;

/// An unsigned integer in the order of the floats.
fn key_of(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if (bits == 0x80000000u) {
    return 0x80000000u; // minus zero equals zero
  }
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

/// Reference: O'Neill 2014; the hash form of Jarzynski & Olano 2020.
fn pcg(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

/// How far below the peak a logit lies, in units of the temperature: its weight is exp of the negative.
fn depth_of(value: f32, peak: f32) -> f32 {
  return min(peak - value, 100.0 * sampling.temperature) / sampling.temperature;
}

/// A depth as an integer in steps of 2^-27; all beyond 32, whose weights are below 1e-13, are equal.
fn depth_code(depth: f32) -> u32 {
  return u32(min(depth, 31.999998) * 134217728.0);
}

/// Brings the largest of 16 sums, `stride` apart from `first` on, to `first`, and its id, the lowest of equal ones.
fn reduce_largest(first: u32, stride: u32) {
  for (var i = 1u; i < BINS; i++) {
    let other = first + i * stride;
    let value = sums[other];
    if (value > sums[first] || (value == sums[first] && ids[other] < ids[first])) {
      sums[first] = value;
      ids[first] = ids[other];
    }
  }
}

/// The largest of the partial maxima goes to sums[0], its id (the lowest of equal ones) to ids[0].
fn reduce_partials(lane: u32) {
  var best = LOWEST;
  var best_id = uniforms.vocabulary - 1u;
  for (var i = lane; i < uniforms.partials; i += LANES) {
    let value = bitcast<f32>(partials[i].x);
    if (value > best || (value == best && partials[i].y < best_id)) {
      best = value;
      best_id = partials[i].y;
    }
  }
  sums[lane] = best;
  ids[lane] = best_id;
  workgroupBarrier();
  if (lane < BINS) {
    reduce_largest(lane, BINS);
  }
  workgroupBarrier();
  if (lane == 0u) {
    reduce_largest(0u, 1u);
  }
}

/// Sums each of the 16 bins over all invocations, in a fixed order, into sums[0 .. 16).
fn reduce_bins(lane: u32, bins: ptr<function, array<f32, BINS>>) {
  if (lane >= HALF_LANES) {
    for (var b = 0u; b < BINS; b++) {
      scratch[b * HALF_LANES + lane - HALF_LANES] = (*bins)[b];
    }
  }
  workgroupBarrier();
  if (lane < HALF_LANES) {
    for (var b = 0u; b < BINS; b++) {
      scratch[b * HALF_LANES + lane] += (*bins)[b];
    }
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < 8u; i++) {
    sum += scratch[lane * 8u + i];
  }
  sums[lane] = sum; // 16 neighbours hold one bin
  workgroupBarrier();
  var bin = 0.0;
  if (lane < BINS) {
    for (var i = 0u; i < BINS; i++) {
      bin += sums[lane * BINS + i];
    }
  }
  workgroupBarrier();
  if (lane < BINS) {
    sums[lane] = bin;
  }
  workgroupBarrier();
}

/// Narrows the search to the bin in which the running sum reaches the goal.
fn narrow(shift: u32) {
  var bin = 0u;
  var before = search.before;
  while (bin < BINS - 1u && before + sums[bin] < search.goal) {
    before += sums[bin];
    bin++;
  }
  let is_exact = before + sums[bin] == search.goal;
  search.low += bin << shift;
  search.limit = search.low + ((1u << shift) - 1u);
  search.before = before;
  search.is_done = select(0u, 1u, is_exact || atomicLoad(&members) <= 1u);
}

/// The code c such that { code <= c } is the smallest set of whole codes that reaches the goal.
/// By mass: codes are depths, values weights, the goal is the share top_p of all weights with distance <= farthest.
/// Else: codes are distances from the peak's key, values 1, the goal is top_k.
fn find_limit(lane: u32, by_mass: bool, peak: f32, farthest: u32) -> u32 {
  if (lane == 0u) {
    search = Search(0u, EVERYTHING, 0.0, f32(sampling.top_k), 0u);
  }
  let peak_key = key_of(peak);
  for (var pass_index = 0u; pass_index < 8u; pass_index++) {
    let shift = 28u - pass_index * BIN_BITS;
    workgroupBarrier();
    let low = search.low;
    // What is found early is kept through the passes that are left, which then look at nothing.
    let end = select(uniforms.vocabulary, 0u, search.is_done == 1u);
    if (lane == 0u) {
      atomicStore(&members, 0u);
    }
    workgroupBarrier();
    // The initialiser is spelled out: without it Dawn (package webgpu 0.6.2) zeroes the array once, not in every pass
    // of the loop, and the sums of earlier passes stay in it. To be shortened when that is mended.
    var bins = array<f32, BINS>();
    var found = 0u;
    for (var v = lane; v < end; v += LANES) {
      let value = logits[v];
      let distance = peak_key - key_of(value);
      let depth = depth_of(value, peak);
      let code = select(distance, depth_code(depth), by_mass);
      let bin = (code - low) >> shift;
      if (bin < BINS && distance <= farthest) {
        found++;
        let weight = select(1.0, exp(-depth), by_mass);
        for (var b = 0u; b < BINS; b++) {
          bins[b] += select(0.0, weight, b == bin);
        }
      }
    }
    atomicAdd(&members, found);
    reduce_bins(lane, &bins);
    if (lane == 0u && end > 0u) {
      if (by_mass && pass_index == 0u) {
        var mass = 0.0;
        for (var b = 0u; b < BINS; b++) {
          mass += sums[b];
        }
        search.goal = sampling.top_p * mass;
      }
      narrow(shift);
    }
  }
  workgroupBarrier();
  let limit = search.limit;
  workgroupBarrier();
  return limit;
}

/// The weight of a logit, 0 where it is not kept.
fn kept_weight(value: f32, peak: f32, farthest: u32, deepest: u32, depth_limit: f32) -> f32 {
  let depth = depth_of(value, peak);
  let is_kept = key_of(peak) - key_of(value) <= farthest && depth_code(depth) <= deepest && depth <= depth_limit;
  return select(0.0, exp(-depth), is_kept);
}

/// Finds the lane in whose share the draw falls: sums holds the weight of every share, scratch of every 16 of them.
/// Rounding may carry the goal past the last share; then the last share that has any weight takes it.
fn choose_share(uniform_draw: f32) {
  var total = 0.0;
  var last = 0u;
  for (var group = 0u; group < BINS; group++) {
    total += scratch[group];
    if (scratch[group] > 0.0) {
      last = group;
    }
  }
  let goal = uniform_draw * total;
  var group = 0u;
  var before = 0.0;
  while (group < last && before + scratch[group] <= goal) {
    before += scratch[group];
    group++;
  }
  for (var lane = group * BINS; lane < (group + 1u) * BINS && before <= goal; lane++) {
    if (sums[lane] > 0.0) {
      draw = Draw(lane, goal - before);
      before += sums[lane];
    }
  }
}

/// Everything that follows from the token; one invocation.
fn advance(token: u32) {
  let position = step.row[0].position;
  let next = position + 1u;
  results[position % RESULT_RING] = token;
  if (next < uniforms.capacity) {
    history[next] = token;
    counts[token] += 1u;
    if (next >= sampling.repetition_window) {
      let leaving = history[next - sampling.repetition_window];
      counts[leaving] -= min(counts[leaving], 1u);
    }
  }
  for (var row = 0u; row < step.rows; row++) {
    tokens[row] = token;
    step.row[row].position += 1u;
  }
}

/// Says that there is no token; what was fed last is fed again by whoever computed ahead.
fn refuse() {
  let position = step.row[0].position;
  results[position % RESULT_RING] = NO_TOKEN;
  for (var row = 0u; row < step.rows; row++) {
    step.row[row].position += 1u;
  }
}

@compute @workgroup_size(LANES)
fn sample_token(@builtin(local_invocation_index) lane: u32) {
  reduce_partials(lane);
  workgroupBarrier();
  let peak = sums[0];
  let likeliest = ids[0];
  let is_refused = likeliest == NO_TOKEN || peak <= LOWEST;
  workgroupBarrier();
  if (sampling.temperature == 0.0) {
    if (lane == 0u && is_refused) {
      refuse();
    } else if (lane == 0u) {
      advance(likeliest);
    }
    return;
  }

  var farthest = EVERYTHING;
  if (sampling.top_k > 0u && sampling.top_k < uniforms.vocabulary) {
    farthest = find_limit(lane, false, peak, EVERYTHING);
  }
  var deepest = EVERYTHING;
  if (sampling.top_p < 1.0) {
    deepest = find_limit(lane, true, peak, farthest);
  }
  var depth_limit = 100.0;
  if (sampling.min_p > 0.0) {
    depth_limit = -log(sampling.min_p);
  }

  // Each invocation owns a contiguous share of the ids, so that the draw runs through the kept ids in order.
  let share = (uniforms.vocabulary + LANES - 1u) / LANES;
  let end = min((lane + 1u) * share, uniforms.vocabulary);
  var sum = 0.0;
  for (var v = lane * share; v < end; v++) {
    sum += kept_weight(logits[v], peak, farthest, deepest, depth_limit);
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane < BINS) {
    var group = 0.0;
    for (var i = 0u; i < BINS; i++) {
      group += sums[lane * BINS + i];
    }
    scratch[lane] = group;
  }
  workgroupBarrier();
  if (lane == 0u) {
    let hash = pcg(sampling.seed + pcg(step.row[0].position));
    choose_share(f32(hash >> 8u) / 16777216.0);
  }
  workgroupBarrier();
  let drawn = draw;

  let first = drawn.lane * share;
  for (var i = lane; i < share; i += LANES) {
    var weight = 0.0;
    if (first + i < uniforms.vocabulary) {
      weight = kept_weight(logits[first + i], peak, farthest, deepest, depth_limit);
    }
    scratch[i] = weight;
  }
  workgroupBarrier();
  if (lane == 0u && is_refused) {
    refuse();
  } else if (lane == 0u) {
    var chosen = 0u;
    var passed = 0.0;
    for (var i = 0u; i < share && passed <= drawn.rest; i++) {
      if (scratch[i] > 0.0) {
        chosen = i;
        passed += scratch[i];
      }
    }
    advance(first + chosen);
  }
}
