import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type LuongLocalOptions, luongLocalAttention } from "../../../src/attention/sequence/index.ts";
import { onEveryBackend } from "../support.ts";
import { dot, type Matrix, mix, nested, normal, project, roundings, softmax } from "./oracle.ts";
import { A, B, DK, DQ, inputs, S, SCORES, T } from "./scores.ts";

const RADIUS = 2;
const parameters = () => ({ wp: normal<tf.Tensor2D>(31, DQ, A), vp: normal<tf.Tensor1D>(32, A) });

/** Both forms as the paper writes them; `scores` are those of the score function. */
function oracle(
  x: ReturnType<typeof inputs>,
  scores: Matrix[],
  options: LuongLocalOptions & { local: "m" | "p" },
) {
  const { wp, vp } = parameters();
  const hidden = nested<Matrix[]>(x.queries).map((rows) => project(rows, nested<Matrix>(wp)));
  const lengths = (options.mask?.keyLengths as number[] | undefined) ?? new Array(B).fill(S);
  const positions = hidden.map((rows, b) =>
    rows.map((row, t) => {
      if (options.local === "m") return t + (options.offset ?? 0);
      const e = dot(row.map(Math.tanh), nested<number[]>(vp));
      return lengths[b]! / (1 + Math.exp(-e));
    }),
  );
  const weights = scores.map((rows, b) =>
    rows.map((row, t) => {
      const away = (s: number) => s - positions[b]![t]!;
      const seen = (s: number) => Math.abs(away(s)) <= RADIUS && s < lengths[b]!;
      const align = softmax(row.map((e, s) => (seen(s) ? e : -Infinity)));
      if (options.local === "m") return align;
      const factored = align.map((a, s) => a * Math.exp(-(away(s) ** 2) / (2 * (RADIUS / 2) ** 2)));
      const total = factored.reduce((sum, w) => sum + w, 0);
      return options.renormalize ? factored.map((w) => w / total) : factored;
    }),
  );
  const values = nested<Matrix[]>(x.values);
  return { positions, weights, output: weights.map((rows, b) => rows.map((w) => mix(w, values[b]!))) };
}

function localTests(): void {
  it.each(SCORES)(
    "equals the paper's formulas in float64 loops, local-m and local-p: the %s score",
    (_, width, make) => {
      tf.tidy(() => {
        const x = inputs(width);
        const score = make();
        const scores = nested<Matrix[]>(score.score(x.queries, score.prepare(x.keys)));
        for (const [local, options] of [
          ["m", {}],
          ["m", { offset: 2 }],
          ["p", {}],
          ["p", { renormalize: true }],
          ["p", { mask: { keyLengths: [3, 5] } }],
        ] as const) {
          const expected = oracle(x, scores, { ...options, local });
          const given = local === "p" ? parameters() : undefined;
          const asked = { ...options, radius: RADIUS, score, weights: true } as const;
          const result = luongLocalAttention(x, given, asked);
          // The scores, up to 40 in size, are those of float32: a weight errs by their roundings.
          expect(roundings(result.positions, expected.positions)).toBeLessThanOrEqual(64);
          expect(roundings(result.weights, expected.weights), local).toBeLessThanOrEqual(512);
          expect(roundings(result.output, expected.output), local).toBeLessThanOrEqual(512);
        }
      });
    },
  );

  it("weighs sum to 1 in local-m and in local-p when renormalised, and to less in the paper's local-p", () => {
    tf.tidy(() => {
      const x = inputs();
      const [, , make] = SCORES.find(([name]) => name === "general")!;
      const sums = (given: object | undefined, options: object) => {
        const asked = { radius: 3, score: make(), weights: true, ...options } as const;
        return [...tf.sum(luongLocalAttention(x, given as never, asked).weights!, -1).dataSync()];
      };
      for (const sum of [...sums(undefined, {}), ...sums(parameters(), { renormalize: true })]) {
        expect(Math.abs(sum - 1)).toBeLessThanOrEqual(1e-6);
      }
      for (const sum of sums(parameters(), {})) expect(sum).toBeLessThan(1);
    });
  });

  it("shows no key outside the window, and gives 0 where the window holds none", () => {
    tf.tidy(() => {
      const x = inputs(DQ);
      const { positions, weights } = luongLocalAttention(x, parameters(), { radius: 1, weights: true });
      const p = nested<Matrix>(positions);
      nested<Matrix[]>(weights).forEach((rows, b) => {
        rows.forEach((row, t) => {
          expect(row.map((w) => w > 0)).toEqual(row.map((_, s) => Math.abs(s - p[b]![t]!) <= 1));
        });
      });
      const beyond = luongLocalAttention(x, undefined, { radius: 1, offset: S, weights: true });
      expect(nested<Matrix>(beyond.positions)[0]).toEqual([S, S + 1, S + 2]);
      const empty = nested<Matrix[]>(beyond.output)[0]!.map((row) => row.every((y) => y === 0));
      expect(empty).toEqual([false, true, true]);
    });
  });

  it("steps through a sequence as at once: offset is the step", () => {
    tf.tidy(() => {
      const x = inputs(DQ);
      const whole = nested<Matrix[]>(luongLocalAttention(x, undefined, { radius: 1 }).output);
      for (let t = 0; t < T; t++) {
        const queries = tf.slice(x.queries, [0, t, 0], [B, 1, DQ]);
        const { output } = luongLocalAttention({ ...x, queries }, undefined, { radius: 1, offset: t });
        expect(
          roundings(
            output,
            whole.map((rows) => [rows[t]!]),
          ),
        ).toBeLessThanOrEqual(8);
      }
    });
  });

  it.each(SCORES)(
    "passes gradients to W_p and v_p in both forms of local-p: the %s score",
    (_, width, make) => {
      tf.tidy(() => {
        const x = inputs(width);
        const score = make();
        for (const renormalize of [false, true]) {
          const f = (wp: tf.Tensor, vp: tf.Tensor) => {
            const parameters = { wp: wp as tf.Tensor2D, vp: vp as tf.Tensor1D };
            return luongLocalAttention(x, parameters, { radius: 3, score, renormalize }).output;
          };
          const { wp, vp } = parameters();
          for (const gradient of tf.grads(f)([wp, vp])) {
            expect(gradient.dataSync().every((g) => g !== 0 && Number.isFinite(g))).toBe(true);
          }
        }
      });
    },
  );

  it("lets masks compose with the window", () => {
    tf.tidy(() => {
      const x = inputs(DQ);
      const allow = tf.tensor2d([[1, 0, 1, 0, 1]], [1, S], "bool");
      for (const given of [undefined, parameters()]) {
        const asked = { radius: 4, weights: true, mask: { allow } } as const;
        const { weights } = luongLocalAttention(x, given, asked);
        for (const row of nested<Matrix[]>(weights).flat()) expect([row[1], row[3]]).toEqual([0, 0]);
      }
    });
  });

  it("refuses radii, offsets and parameters that are none", () => {
    tf.tidy(() => {
      const x = inputs(DQ);
      const refuse = (given: object | undefined, options: object, message: string) =>
        expect(() => luongLocalAttention(x, given as never, options)).toThrow(message);
      refuse(
        undefined,
        { radius: 0 },
        "luongLocalAttention: radius must be an integer ≥ 1, got 0; choose one in that range or leave it out",
      );
      refuse(undefined, { radius: 2.5 }, "radius must be an integer ≥ 1, got 2.5");
      refuse(undefined, { offset: 0.5 }, "luongLocalAttention: offset must be an integer, got 0.5");
      refuse(
        { ...parameters(), wp: tf.zeros([DK, A]) },
        {},
        "wp must be float32 of shape [Dq, A] = [7, 17], got",
      );
      refuse(
        { ...parameters(), vp: tf.zeros([A + 2]) },
        {},
        "wp must be float32 of shape [Dq, A] = [7, 19], got",
      );
      for (const given of [undefined, parameters()]) {
        const masked = (allow: tf.Tensor, message: string) => refuse(given, { mask: { allow } }, message);
        masked(tf.ones([T, S]), "luongLocalAttention: allow must be bool");
        masked(tf.ones([S], "bool"), "luongLocalAttention: allow must have shape [B, T, S]");
        masked(tf.ones([7, T, S], "bool"), "luongLocalAttention: allow must have shape [B, T, S]");
        refuse(given, { mask: { bias: tf.ones([7, T, S]) } }, "luongLocalAttention: bias must have shape");
      }
      expect(() => luongLocalAttention({ ...x, queries: tf.zeros([T, DQ]) as never })).toThrow(
        "must have rank 3",
      );
    });
  });
}

onEveryBackend("luongLocalAttention", localTests);
