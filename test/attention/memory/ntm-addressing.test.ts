import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  circularShift,
  contentAddressing,
  interpolationGate,
  type NtmHead,
  ntmAddressing,
  ntmHead,
  sharpening,
} from "../../../src/attention/memory/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gateCalls } from "../../../src/ops/observe.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, expectRefusal, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, H, S, D, K] = [2, 3, 7, 5, 3];
const LETTERS = "the letters must mean the same sizes in all of the call's tensors";
/** Exponentials, powers and sums of seven terms below 1. */
const CLOSE = 64 * ROUNDING;

const given = (seed: number, shape: number[], scale = 1) => tf.mul(tensor(random(seed, shape)), scale);
const share = (seed: number, ...shape: number[]) => tf.softmax(given(seed, shape)) as tf.Tensor3D;

/** A memory, where the heads were, and what a controller says of them. */
function inputs(seed = 1) {
  const head: NtmHead = {
    key: given(seed, [B, H, D]) as tf.Tensor3D,
    strength: tf.abs(given(seed + 1, [B, H], 3)) as tf.Tensor2D,
    gate: tf.sigmoid(given(seed + 2, [B, H])) as tf.Tensor2D,
    shift: share(seed + 3, B, H, K),
    sharpness: tf.add(1, tf.abs(given(seed + 4, [B, H], 2))) as tf.Tensor2D,
  };
  return { memory: given(seed + 5, [B, S, D]) as tf.Tensor3D, previous: share(seed + 6, B, H, S), head };
}

/** The four stages as the paper writes them, slot by slot, in float64. */
function reference(memory: tf.Tensor3D, previous: tf.Tensor3D, head: NtmHead) {
  const read = (x: tf.Tensor) => Array.from(x.dataSync());
  const [m, before, key, beta, g, s, gamma] = [
    ...[memory, previous, head.key, head.strength, head.gate, head.shift, head.sharpness].map(read),
  ] as [number[], number[], number[], number[], number[], number[], number[]];
  const stages = { content: [], gated: [], shifted: [], weights: [] } as Record<string, number[]>;
  const norm = (x: number[]) => Math.hypot(...x);
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++) {
      const row = b * H + h;
      const k = key.slice(row * D, (row + 1) * D);
      const powers = Array.from({ length: S }, (_, i) => {
        const slot = m.slice((b * S + i) * D, (b * S + i + 1) * D);
        const cosine = slot.reduce((sum, value, d) => sum + value * k[d]!, 0) / (norm(slot) * norm(k));
        return Math.exp(beta[row]! * cosine);
      });
      const total = powers.reduce((a, c) => a + c);
      const content = powers.map((power) => power / total);
      const gated = content.map((w, i) => g[row]! * w + (1 - g[row]!) * before[row * S + i]!);
      const shifted = gated.map((_, i) =>
        gated.reduce((sum, w, j) => {
          // s(i − j), the shift taken around the end
          const offset = [-1, 0, 1].findIndex((o) => (j + o + S) % S === i);
          return sum + (offset < 0 ? 0 : w * s[row * K + offset]!);
        }, 0),
      );
      const sharp = shifted.map((w) => w ** gamma[row]!);
      const sum = sharp.reduce((a, c) => a + c);
      stages.content!.push(...content);
      stages.gated!.push(...gated);
      stages.shifted!.push(...shifted);
      stages.weights!.push(...sharp.map((w) => w / sum));
    }
  return stages;
}

onEveryBackend("ntmAddressing", () => {
  it("equals the paper's four stages, slot by slot, and every stage is a distribution", () => {
    tf.tidy(() => {
      const { memory, previous, head } = inputs();
      const expected = reference(memory, previous, head);
      const actual = ntmAddressing(memory, previous, head);
      for (const [name, weights] of Object.entries(actual) as [string, tf.Tensor][]) {
        expect(weights.shape).toEqual([B, H, S]);
        expect(distance(weights.dataSync(), expected[name]!), name).toBeLessThanOrEqual(CLOSE);
        expect(distance(tf.sum(weights, -1).dataSync(), new Array(B * H).fill(1)), name).toBeLessThanOrEqual(
          CLOSE,
        );
        expect(tf.min(weights).dataSync()[0], name).toBeGreaterThanOrEqual(0);
      }
    });
  });

  it("takes stages that are also there by themselves, to the bit", () => {
    tf.tidy(() => {
      const { memory, previous, head } = inputs(11);
      const { content, gated, shifted, weights } = ntmAddressing(memory, previous, head);
      const same = (a: tf.Tensor, b: tf.Tensor) => expect(a.dataSync()).toEqual(b.dataSync());
      same(contentAddressing(memory, head.key, head.strength), content);
      same(interpolationGate(content, previous, head.gate), gated);
      same(circularShift(gated, head.shift), shifted);
      same(sharpening(shifted, head.sharpness), weights);
    });
  });

  it("worked by hand: finds the slot, steps on by one around the end, and is sharp again", () => {
    tf.tidy(() => {
      const one = (value: number) => tf.tensor2d([[value]]);
      const memory = tf.tensor3d([
        [
          [1, 0],
          [0, 1],
          [-1, 0],
        ],
      ]);
      // cos = 0, 1, 0 for the key (0, 2), and β = ln 2: 1, 2, 1 of 4.
      const key = tf.tensor3d([[[0, 2]]]);
      const previous = tf.tensor3d([[[0, 0, 1]]]);
      const shift = tf.tensor3d([[[0, 0, 1]]]);
      const head = { key, strength: one(Math.log(2)), gate: one(0.5), shift, sharpness: one(2) };
      const { content, gated, shifted, weights } = ntmAddressing(memory, previous, head);
      const near = (x: tf.Tensor, values: number[]) =>
        expect(distance(x.dataSync(), values)).toBeLessThanOrEqual(CLOSE);
      near(content, [0.25, 0.5, 0.25]);
      near(gated, [0.125, 0.25, 0.625]);
      near(shifted, [0.625, 0.125, 0.25]);
      near(weights, [25 / 30, 1 / 30, 4 / 30]);
    });
  });

  it("has gradients of every stage that agree with differences", () => {
    tf.tidy(() => {
      const { memory, previous, head } = inputs(21);
      const soft = { ...head, strength: tf.mul(head.strength, 0.2) as tf.Tensor2D };
      const check = (f: Parameters<typeof gradcheckTensors>[0], x: Record<string, tf.Tensor>) =>
        expect(() => gradcheckTensors(f, x)).not.toThrow();
      check((x) => contentAddressing(x.memory as never, x.key as never, x.strength as never), {
        memory: tf.mul(memory, 3),
        key: tf.mul(soft.key, 3),
        strength: soft.strength,
      });
      check((x) => interpolationGate(x.content as never, x.previous as never, x.gate as never), {
        content: share(5, B, H, S),
        previous,
        gate: soft.gate,
      });
      check((x) => circularShift(x.weights as never, x.shift as never), {
        weights: previous,
        shift: soft.shift,
      });
      check((x) => sharpening(x.weights as never, x.sharpness as never), {
        // Of any size: a factor of the weights changes nothing.
        weights: tf.add(tf.mul(previous, 3), 2),
        sharpness: soft.sharpness,
      });
    });
  });

  it("has gradients through all four stages together that agree with differences", () => {
    tf.tidy(() => {
      const { memory, previous, head } = inputs(31);
      const x = {
        memory: tf.mul(memory, 3),
        previous: tf.add(tf.mul(previous, 0.3), 0.1),
        key: tf.mul(head.key, 3),
        strength: tf.mul(head.strength, 0.2),
        gate: head.gate,
        shift: head.shift,
        sharpness: head.sharpness,
      };
      const f = ({ memory, previous, ...rest }: Record<string, tf.Tensor>) =>
        ntmAddressing(memory as tf.Tensor3D, previous as tf.Tensor3D, rest as never).weights;
      expect(() => gradcheckTensors(f, x, 64)).not.toThrow();
    });
  });

  it("keeps a slot of zeros, a weight of zero and large powers finite, with their gradients", () => {
    tf.tidy(() => {
      const memory = tf.tensor3d([
        [
          [0, 0],
          [3, 4],
        ],
      ]);
      const found = contentAddressing(memory, tf.tensor3d([[[0.6, 0.8]]]), tf.tensor2d([[Math.log(3)]]));
      expect(distance(found.dataSync(), [0.25, 0.75])).toBeLessThanOrEqual(CLOSE);
      const weights = tf.tensor3d([[[0, 1e-20, 2e-20]]]);
      const sharp = sharpening(weights, tf.tensor2d([[40]]));
      expect(distance(sharp.dataSync(), [0, 2 ** -40, 1])).toBeLessThanOrEqual(CLOSE);
      const gradients = tf.grads((w: tf.Tensor, g: tf.Tensor) =>
        tf.slice(sharpening(w as tf.Tensor3D, g as tf.Tensor2D), [0, 0, 1], [1, 1, 1]),
      )([tf.tensor3d([[[0, 0.5, 0.5]]]), tf.tensor2d([[1]])]);
      for (const gradient of gradients) expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
      // p = (w₁/Σw): ∂/∂w₀ = −w₁ = −½, whether or not slot 0 holds something; ∂/∂γ of two equal ones is 0.
      expect(distance(gradients[0]!.dataSync(), [-0.5, 0.5, -0.5])).toBeLessThanOrEqual(CLOSE);
      expect(distance(gradients[1]!.dataSync(), [0])).toBeLessThanOrEqual(CLOSE);
      expect([...sharpening(tf.zeros([1, 1, 3]), tf.ones([1, 1])).dataSync()]).toEqual([0, 0, 0]);
    });
  });

  it("brings the numbers of a linear layer into their ranges, in the order k, β, g, s, γ", () => {
    tf.tidy(() => {
      const vector = tf.tensor3d([[[7, -7, 0, Math.log(3), 0, Math.log(2), 0, 0]]]);
      const { key, strength, gate, shift, sharpness } = ntmHead(vector, 2);
      expect([...key.dataSync()]).toEqual([7, -7]);
      expect(distance(strength.dataSync(), [Math.LN2])).toBeLessThanOrEqual(CLOSE);
      expect(distance(gate.dataSync(), [0.75])).toBeLessThanOrEqual(CLOSE);
      expect(distance(shift.dataSync(), [0.25, 0.5, 0.25])).toBeLessThanOrEqual(CLOSE);
      expect(distance(sharpness.dataSync(), [1 + Math.LN2])).toBeLessThanOrEqual(CLOSE);
      const f = ({ vector }: Record<string, tf.Tensor>) =>
        tf.concat(Object.values(ntmHead(vector as tf.Tensor3D, 2)).map((x) => tf.reshape(x, [-1])));
      expect(() => gradcheckTensors(f, { vector: given(3, [2, 3, 8], 0.5) })).not.toThrow();
    });
  });

  it("tells a capture where it looked, and leaves no tensor behind", () => {
    const { memory, previous, head } = inputs();
    const before = tf.memory().numTensors;
    const seen: [string, string, number[]][] = [];
    const made = gateCalls.during(
      ({ op, name, gate }) => void seen.push([op, name, gate.shape]),
      () => ntmAddressing(memory, previous, head),
    );
    expect(seen).toEqual([["ntmAddressing", "weights", [B, H, S]]]);
    expect(tf.memory().numTensors).toBe(before + 4);
    tf.dispose([made, memory, previous, ...Object.values(head)] as never);
  });

  const memory = () => tf.ones<tf.Rank.R3>([B, S, D]);
  const weights = () => tf.fill<tf.Rank.R3>([B, H, S], 1 / S);
  const refused: [string, typeof OptionError | typeof ShapeError, () => unknown, string][] = [
    [
      "a key of another width than the memory",
      ShapeError,
      () => contentAddressing(memory(), tf.ones([B, H, 4]), tf.ones([B, H])),
      `contentAddressing: key must be float32 of shape [B, H, D] = [2, 3, 5], got float32 of shape [2, 3, 4]; ${LETTERS}`,
    ],
    [
      "a memory without a slot",
      ShapeError,
      () => contentAddressing(tf.ones([B, 0, D]), tf.ones([B, H, D]), tf.ones([B, H])),
      "contentAddressing: a memory must have S ≥ 1 slots, got S = 0; weights over nothing cannot add up to 1; give it a slot",
    ],
    [
      "weights before of another memory",
      ShapeError,
      () => ntmAddressing(memory(), tf.ones([B, H, 4]), inputs().head),
      `ntmAddressing: previous must be float32 of shape [B, H, S] = [2, 3, 7], got float32 of shape [2, 3, 4]; ${LETTERS}`,
    ],
    [
      "a gate for another number of heads",
      ShapeError,
      () => interpolationGate(weights(), weights(), tf.ones([B, 1])),
      `interpolationGate: gate must be float32 of shape [B, H] = [2, 3], got float32 of shape [2, 1]; ${LETTERS}`,
    ],
    [
      "an even number of shifts",
      OptionError,
      () => circularShift(weights(), tf.ones([B, H, 2])),
      "circularShift: K must be an odd number of shifts, got 2; choose one in that range or leave it out",
    ],
    [
      "more shifts than slots",
      OptionError,
      () => circularShift(weights(), tf.ones([B, H, 9])),
      "circularShift: K must be at most S = 7, got 9; choose one in that range or leave it out",
    ],
    [
      "a matrix of weights",
      ShapeError,
      () => sharpening(tf.ones([B, S]) as never, tf.ones([B, H])),
      "sharpening: weights [B, H, S] must have rank 3, got shape [2, 7]; reshape it first",
    ],
    [
      "a vector without room for a shift",
      ShapeError,
      () => ntmHead(tf.ones([B, H, 8]), D),
      "ntmHead: vector must have a width D + K + 3 of 9 or more for D = 5, got shape [2, 3, 8]; give each head D numbers for its key, K for its shifts, and three more",
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    expectRefusal(call, type, message);
  });
});
