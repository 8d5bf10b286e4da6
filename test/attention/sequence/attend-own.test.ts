import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type AttendOptions, attend } from "../../../src/attention/sequence/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { distance, onEveryBackend, ROUNDING } from "../support.ts";
import { inputs, S, T } from "./scores.ts";

/** Of example 0 nothing can be seen, of example 1 the first three keys. */
const MASK = { keyLengths: [0, 3] };

onEveryBackend("what a caller gives attend of his own", () => {
  it("a softmax that knows nothing of masks gives what heed's gives, 0 where a query sees nothing", () => {
    tf.tidy(() => {
      const x = { ...inputs(7), mask: MASK };
      const run = (normalize: AttendOptions["normalize"], queries: tf.Tensor3D) =>
        attend({ ...x, queries, ...(normalize && { normalize }) }).output;
      const own = (scores: tf.Tensor) => tf.softmax(scores);
      const [expected, output] = [run(undefined, x.queries), run(own, x.queries)];
      expect(output.dataSync().slice(0, output.size / 2)).toEqual(new Float32Array(output.size / 2));
      expect(distance(output.dataSync(), expected.dataSync())).toBeLessThanOrEqual(16 * ROUNDING);
      const gradient = (normalize?: AttendOptions["normalize"]) =>
        tf.grad((queries) => tf.sum(tf.square(run(normalize, queries as tf.Tensor3D))))(x.queries);
      // Sums of five products of values near 1, twice.
      expect(distance(gradient(own).dataSync(), gradient().dataSync())).toBeLessThanOrEqual(64 * ROUNDING);
    });
  });

  it("a normaliser of its own leaves no tensor behind", () => {
    tf.tidy(() => {
      const x = { ...inputs(7), mask: MASK, normalize: (scores: tf.Tensor) => tf.sigmoid(scores) };
      const before = tf.memory().numTensors;
      attend(x);
      expect(tf.memory().numTensors).toBe(before + 1);
    });
  });

  const scoreRule =
    "attend: score must be what scaledDotScore() or another function of its kind returns, got ";
  const scoreRemedy = "; call that function, or write an object { name, prepare, score } of your own";
  const shapeRule = `attend: normalize must return weights of the scores' shape [2, ${T}, ${S}], got `;
  const maskRule = "attend: mask must be a bool tensor or an object, got ";
  const maskRemedy =
    "; write { causal: true }, { keyLengths } or { allow }; functions are maskMod of attention in heed/ops";
  const refused: [string, Record<string, unknown>, typeof ShapeError | typeof OptionError, string][] = [
    ["a score by name", { score: "dot" }, OptionError, `${scoreRule}dot${scoreRemedy}`],
    ["what makes a score", { score: () => 0 }, OptionError, `${scoreRule}a function${scoreRemedy}`],
    ["an object that is no score", { score: {} }, OptionError, `${scoreRule}an object${scoreRemedy}`],
    [
      "a normaliser that returns nothing",
      { normalize: () => undefined },
      ShapeError,
      `${shapeRule}undefined; return a tensor: an arrow with braces needs the word return`,
    ],
    [
      "a normaliser that drops the keys",
      { normalize: (scores: tf.Tensor) => tf.sum(scores, -1) },
      ShapeError,
      `${shapeRule}shape [2, ${T}]; normalise along the last axis, and keep it`,
    ],
    ["a mask by name", { mask: "causal" }, OptionError, `${maskRule}causal${maskRemedy}`],
    ["a predicate as mask", { mask: () => true }, OptionError, `${maskRule}a function${maskRemedy}`],
    [
      "a window that is a number",
      { mask: { window: 3 } },
      OptionError,
      "attend: window must be { left, right }, the keys seen before and after a query's own position, got 3; " +
        "write { left: n − 1, right: 0 } for the last n keys",
    ],
  ];
  it.each(refused)("refuses %s", (_, given, error, message) => {
    tf.tidy(() => {
      const x = inputs(7);
      const before = tf.memory().numTensors;
      const attempt = () => attend({ ...x, ...given } as AttendOptions);
      expect(attempt).toThrow(error);
      expect(attempt).toThrow(expect.objectContaining({ message }));
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});
