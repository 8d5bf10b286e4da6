import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { detached } from "../../ops/attention/guard.ts";
import { softmax } from "../../ops/attention/softmax.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { gateCalls } from "../../ops/observe.ts";
import { tidy } from "../../ops/tidy.ts";
import { cosineScore } from "../score/cosine.ts";
import { checkSlots, perHead, type SlotSizes, weightSizes } from "./check.ts";

/** What a controller says of where its heads are to look. */
export interface NtmHead {
  /** k, what is looked for: [B, H, D] */
  key: tf.Tensor3D;
  /** β > 0, how sharply: [B, H] */
  strength: tf.Tensor2D;
  /** g, from 0 (where it was) to 1 (what was found): [B, H] */
  gate: tf.Tensor2D;
  /** s, a distribution over K shifts from −(K − 1)/2 to (K − 1)/2: [B, H, K], K odd */
  shift: tf.Tensor3D;
  /** γ ≥ 1: [B, H] */
  sharpness: tf.Tensor2D;
}

/** The weights after each stage, all [B, H, S]. */
export interface NtmAddresses {
  /** w^c, by content */
  content: tf.Tensor3D;
  /** w^g, after the gate */
  gated: tf.Tensor3D;
  /** w̃, after the shift */
  shifted: tf.Tensor3D;
  /** w, what the head reads or writes with */
  weights: tf.Tensor3D;
}

/**
 * Content addressing: a slot counts by how nearly it points where the key does.
 *
 *     w^c(i) = exp(β cos(k, M(i))) / Σ_j exp(β cos(k, M(j)))
 *
 * Symbols: M(i) slot i of the memory, k the key, β its strength. Shapes: memory [B, S, D], key [B, H, D], strength [B, H]
 * → [B, H, S].
 * Conventions: S slots of width D are the paper's N and M; several heads look at once. It is `cosineScore` with a scale for
 * each head, and a softmax: a slot or a key of zeros has the cosine 0 with everything. Rows sum to 1.
 * Cost: O(B·H·S·D). Paper: Graves, Wayne & Danihelka 2014, §3.3.1, (5) and (6), arxiv.org/abs/1410.5401.
 *
 * @throws ShapeError RANK, SHAPE
 * @draws
 * const slots = Array.from({ length: 24 }, (_, n) => [Math.cos(n / 4), Math.sin(n / 4)]);
 * const memory = tf.tensor3d([slots]);
 * const key = tf.tensor3d([Array.from({ length: 24 }, () => [Math.cos(3), Math.sin(3)])]);
 * return contentAddressing(memory, key, tf.expandDims(tf.linspace(0, 40, 24), 0));
 * @example
 * const memory = tf.tensor3d([[[1, 0], [0, 2], [-3, 0]]]);
 * const key = tf.tensor3d([[[5, 0]]]);
 * contentAddressing(memory, key, tf.tensor2d([[Math.log(2)]])); // [[[0.5714, 0.2857, 0.1429]]]
 */
export function contentAddressing(memory: tf.Tensor3D, key: tf.Tensor3D, strength: tf.Tensor2D): tf.Tensor3D {
  checkContent("contentAddressing", memory, key, strength);
  return tidy(() => byContent(memory, key, strength));
}

/**
 * Interpolation gate: what was found by content, or where the head was before.
 *
 *     w^g = g w^c + (1 − g) w_(t−1)
 *
 * Symbols: w^c the weights by content, w_(t−1) those of the step before, g the gate. Shapes: both [B, H, S], gate [B, H] →
 * [B, H, S].
 * Conventions: at g = 0 content is ignored, so that a head can walk along the slots by shifts alone. Distributions give a
 * distribution. Cost: O(B·H·S). Paper: Graves, Wayne & Danihelka 2014, §3.3.2, (7), arxiv.org/abs/1410.5401.
 *
 * @throws ShapeError RANK, SHAPE
 * @draws
 * const at = (n) => tf.tile(tf.oneHot(tf.tensor2d(Array(24).fill(n), [1, 24], "int32"), 24, 1, 0, "float32"), [1, 1, 1]);
 * return interpolationGate(at(17), at(5), tf.expandDims(tf.linspace(0, 1, 24), 0));
 * @example
 * const [content, before] = [tf.tensor3d([[[0, 1]]]), tf.tensor3d([[[1, 0]]])];
 * interpolationGate(content, before, tf.tensor2d([[0.25]])); // [[[0.75, 0.25]]]
 */
export function interpolationGate(
  content: tf.Tensor3D,
  previous: tf.Tensor3D,
  gate: tf.Tensor2D,
): tf.Tensor3D {
  const op = "interpolationGate";
  const sizes = weightSizes(op, "content", content);
  checkTensors(op, [expectedWeights("previous", previous, sizes), perHead("gate", gate, sizes)]);
  return tidy(() => gatedOf(content, previous, gate));
}

/**
 * Circular shift: moves weights along the slots, by a blend of K steps.
 *
 *     w̃(i) = Σ_j w(j) s(i − j),    indices modulo S
 *
 * Symbols: w weights, s(o) how much is moved by o slots, o = −(K − 1)/2 … (K − 1)/2 in this order. Shapes: weights
 * [B, H, S], shift [B, H, K] → [B, H, S]; K odd and at most S.
 * Conventions: the slot after the last is the first. Where s is not one shift alone the weights blur; `sharpening` follows.
 * Distributions give a distribution.
 * Cost: O(B·H·K·S²); one product with a constant matrix of zeros and ones, since for the few hundred slots of such a memory
 * fewer calls are faster than fewer flops. Paper: Graves, Wayne & Danihelka 2014, §3.3.2, (8), arxiv.org/abs/1410.5401.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION when K is even or more than S
 * @draws
 * const rows = [...Array(24).keys()].map((n) => [Math.max(0, 1 - n / 12), 1 - Math.abs(n / 12 - 1), Math.max(0, n / 12 - 1)]);
 * const at = tf.oneHot(tf.tensor2d(Array(24).fill(12), [1, 24], "int32"), 24, 1, 0, "float32");
 * const wide = rows.map(([a, b, c]) => [a, a, a, a, a, b, c, c, c, c, c].map((n, e) => (e === 5 ? n : n / 5)));
 * return circularShift(at, tf.tensor3d([wide]));
 * @example
 * const forward = tf.tensor3d([[[0, 0, 1]]]); // by +1
 * circularShift(tf.tensor3d([[[0, 0.25, 0.75]]]), forward); // [[[0.75, 0, 0.25]]]
 */
export function circularShift(weights: tf.Tensor3D, shift: tf.Tensor3D): tf.Tensor3D {
  const op = "circularShift";
  const sizes = weightSizes(op, "weights", weights);
  checkShift(op, shift, sizes);
  return tidy(() => shiftedOf(weights, shift));
}

/**
 * Sharpening: raises weights to a power, so that what a shift has blurred is narrow again.
 *
 *     w(i) = w̃(i)^γ / Σ_j w̃(j)^γ
 *
 * Symbols: w̃ weights, γ ≥ 1 the sharpness. Shapes: weights [B, H, S], sharpness [B, H] → [B, H, S].
 * Conventions: γ = 1 changes nothing. Weights are divided by their largest first, so no power underflows as a whole; a
 * weight of 0 stays 0, its gradient finite. A row of zeros stays one.
 * Cost: O(B·H·S). Paper: Graves, Wayne & Danihelka 2014, §3.3.2, (9), arxiv.org/abs/1410.5401.
 *
 * @throws ShapeError RANK, SHAPE
 * @draws
 * const bump = [...Array(24).keys()].map((n) => Math.exp(-((n - 12) ** 2) / 60));
 * return sharpening(tf.tensor3d([Array(24).fill(bump)]), tf.expandDims(tf.linspace(1, 12, 24), 0));
 * @example
 * sharpening(tf.tensor3d([[[0.25, 0.75, 0]]]), tf.tensor2d([[2]])); // [[[0.1, 0.9, 0]]]
 */
export function sharpening(weights: tf.Tensor3D, sharpness: tf.Tensor2D): tf.Tensor3D {
  const op = "sharpening";
  const sizes = weightSizes(op, "weights", weights);
  checkTensors(op, [perHead("sharpness", sharpness, sizes)]);
  return tidy(() => sharpened(weights, sharpness));
}

/**
 * The addressing of a Neural Turing Machine: by content and by place, in four stages.
 *
 *     w^c = contentAddressing(M, k, β)    w^g = g w^c + (1 − g) w_(t−1)    w̃ = s ∗ w^g    w = w̃^γ / Σ w̃^γ
 *
 * Symbols: M the memory, k the key, β its strength, g the gate, s the shifts, γ the sharpness, w_(t−1) the weights of the
 * step before. Shapes: memory [B, S, D], previous [B, H, S], key [B, H, D], shift [B, H, K], the others [B, H] → four of
 * [B, H, S].
 * Conventions: stages are `contentAddressing`, `interpolationGate`, `circularShift`, `sharpening`; all four are returned. A
 * capture keeps `weights` as a gate. Read with `readSlots`, write with `eraseAndAdd`. Differentiable in everything.
 * Cost: O(B·H·S·(D + K·S)). Paper: Graves, Wayne & Danihelka 2014, §3.3, arxiv.org/abs/1410.5401.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION when K is even or more than S
 * @draws
 * // A head finds a slot by its content, then walks on by one slot a step.
 * const memory = tf.randomNormal([1, 24, 8], 0, 1, "float32", 4);
 * const key = tf.slice(memory, [0, 9, 0], [1, 1, 8]);
 * const one = (n) => tf.fill([1, 1], n);
 * const head = (gate) => ({ key, strength: one(20), gate: one(gate), shift: tf.tensor3d([[[0, 0.1, 0.9]]]), sharpness: one(1.5) });
 * let previous = tf.fill([1, 1, 24], 1 / 24);
 * const steps = [...Array(24).keys()].map((t) => (previous = ntmAddressing(memory, previous, head(t === 0 ? 1 : 0)).weights));
 * return tf.concat(steps, 1);
 * @example
 * const memory = tf.randomNormal([2, 7, 4]);
 * const head = ntmHead(tf.randomNormal([2, 1, 4 + 3 + 3]), 4);
 * const { weights } = ntmAddressing(memory, tf.fill([2, 1, 7], 1 / 7), head);
 * tf.sum(weights, -1); // [[1.0000], [1.0000]]
 */
export function ntmAddressing(memory: tf.Tensor3D, previous: tf.Tensor3D, head: NtmHead): NtmAddresses {
  const op = "ntmAddressing";
  const { key, strength, gate, shift, sharpness } = head;
  const sizes = checkContent(op, memory, key, strength);
  checkTensors(op, [
    expectedWeights("previous", previous, sizes),
    perHead("gate", gate, sizes),
    perHead("sharpness", sharpness, sizes),
  ]);
  checkShift(op, shift, sizes);
  return tidy(() => {
    const content = byContent(memory, key, strength);
    const gated = gatedOf(content, previous, gate);
    const shifted = shiftedOf(gated, shift);
    const weights = sharpened(shifted, sharpness);
    gateCalls.observer?.({ op, name: "weights", gate: weights, hasBatch: true });
    return { content, gated, shifted, weights };
  });
}

/**
 * Names the numbers of a linear layer, each brought into its range.
 *
 *     vector = (k, β̂, ĝ, ŝ, γ̂):    β = ln(1 + exp β̂),    g = σ(ĝ),    s = softmax(ŝ),    γ = 1 + ln(1 + exp γ̂)
 *
 * Symbols: as in `ntmAddressing`; D the memory's width, K the number of shifts. Shapes: vector [B, H, D + K + 3] → an
 * `NtmHead`. Conventions: any real numbers are legal. Cost: O(size).
 * Paper: Graves, Wayne & Danihelka 2014, §3.3, arxiv.org/abs/1410.5401, which leaves the maps to the reader.
 *
 * @throws ShapeError RANK, SHAPE when there is no shift left · OptionError OPTION when K is even
 * @example
 * const { strength, shift, sharpness } = ntmHead(tf.zeros([1, 1, 4 + 3 + 3]), 4);
 * strength; // [[0.6931]]
 * shift; // [[[0.3333, 0.3333, 0.3333]]]
 * sharpness; // [[1.6931]]
 */
export function ntmHead(vector: tf.Tensor3D, D: number): NtmHead {
  const op = "ntmHead";
  checkRank(op, "vector [B, H, D + K + 3]", vector, 3);
  const [B, H, width] = vector.shape;
  const K = width - D - 3;
  if (K < 1) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `vector must have a width D + K + 3 of ${D + 4} or more for D = ${D}`,
      got: `shape [${vector.shape.join(", ")}]`,
      remedy: "give each head D numbers for its key, K for its shifts, and three more",
    });
  }
  checkOdd(op, K);
  checkTensors(op, [{ name: "vector", tensor: vector, letters: "[B, H, D + K + 3]", shape: [B, H, width] }]);
  return tidy(() => {
    const [key, strength, gate, shift, sharpness] = tf.split(vector, [D, 1, 1, K, 1], 2) as tf.Tensor3D[];
    const one = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [B, H]);
    return {
      key: key!,
      strength: one(tf.softplus(strength!)),
      gate: one(tf.sigmoid(gate!)),
      shift: softmax(shift!) as tf.Tensor3D,
      sharpness: one(tf.add(1, tf.softplus(sharpness!))),
    };
  });
}

/** `contentAddressing`, checked elsewhere. */
function byContent(memory: tf.Tensor3D, key: tf.Tensor3D, strength: tf.Tensor2D): tf.Tensor3D {
  const score = cosineScore({ scale: tf.expandDims(strength, 2) });
  return softmax(score.score(key, score.prepare(memory))) as tf.Tensor3D;
}

/** w_(t−1) + g (w^c − w_(t−1)): one product less. */
function gatedOf(content: tf.Tensor3D, previous: tf.Tensor3D, gate: tf.Tensor2D): tf.Tensor3D {
  return tf.add(previous, tf.mul(tf.expandDims(gate, 2), tf.sub(content, previous)));
}

function shiftedOf(weights: tf.Tensor3D, shift: tf.Tensor3D): tf.Tensor3D {
  const [B, H, S] = weights.shape;
  const K = shift.shape[2];
  const moved = tf.reshape(linear(weights, rotations(S, K)), [B, H, K, S]);
  return tf.reshape(tf.matMul(tf.expandDims(shift, 2), moved), [B, H, S]);
}

/** [S, K·S]: column (k, i) reads slot i − (k − (K − 1)/2), around the end. */
function rotations(S: number, K: number): tf.Tensor2D {
  const table = new Float32Array(S * K * S);
  for (let k = 0; k < K; k++) {
    const offset = k - (K - 1) / 2;
    for (let i = 0; i < S; i++) table[((i - offset + S) % S) * K * S + k * S + i] = 1;
  }
  return tf.tensor2d(table, [S, K * S]);
}

function sharpened(weights: tf.Tensor3D, sharpness: tf.Tensor2D): tf.Tensor3D {
  // A factor of the weights changes nothing, so no gradient goes through this one.
  const scale = (x: tf.Tensor) => tf.div<tf.Tensor3D>(x, positive(tf.max(detached(x), -1, true)));
  const powers = tf.pow(scale(weights), tf.expandDims(sharpness, 2));
  return tf.div(powers, positive(tf.sum(powers, -1, true)));
}

/** x, and 1 for 0. */
const positive = (x: tf.Tensor) => tf.add(x, detached(tf.cast(tf.equal(x, 0), "float32")));

function checkContent(op: string, memory: tf.Tensor3D, key: tf.Tensor3D, strength: tf.Tensor2D): SlotSizes {
  checkRank(op, "memory [B, S, D]", memory, 3);
  checkRank(op, "key [B, H, D]", key, 3);
  const [B, S, D] = memory.shape;
  const H = key.shape[1];
  checkSlots(op, S);
  checkTensors(op, [
    { name: "memory", tensor: memory, letters: "[B, S, D]", shape: [B, S, D] },
    { name: "key", tensor: key, letters: "[B, H, D]", shape: [B, H, D] },
    perHead("strength", strength, { B, H }),
  ]);
  return { B, H, S };
}

const expectedWeights = (name: string, tensor: tf.Tensor, { B, H, S }: SlotSizes) => ({
  name,
  tensor,
  letters: "[B, H, S]",
  shape: [B, H, S],
});

function checkShift(op: string, shift: tf.Tensor3D, { B, H, S }: SlotSizes): void {
  checkRank(op, "shift [B, H, K]", shift, 3);
  const K = shift.shape[2];
  checkTensors(op, [{ name: "shift", tensor: shift, letters: "[B, H, K]", shape: [B, H, K] }]);
  checkOdd(op, K);
  if (K > S) {
    throw new OptionError("OPTION", outOfRange({ op, name: "K", rule: `at most S = ${S}`, got: K }));
  }
}

function checkOdd(op: string, K: number): void {
  if (K % 2 === 1) return;
  throw new OptionError("OPTION", outOfRange({ op, name: "K", rule: "an odd number of shifts", got: K }));
}
