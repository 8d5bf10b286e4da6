import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  type MultiHeadLatentOptions,
  type MultiHeadLatentParameters,
  multiHeadAttention,
  multiHeadLatentAttention,
} from "../../../src/attention/sequence/index.ts";
import { onEveryBackend } from "../support.ts";
import { rotate } from "./mechanisms.ts";
import { attentionOracle, type Heads, type Matrix, nested, normal, project, roundings } from "./oracle.ts";

const [B, T, C, H, D, DV, R, RQ, DR, COUT] = [2, 5, 13, 3, 7, 11, 5, 2, 4, 17];

function parameters() {
  const part = <X extends tf.Tensor>(seed: number, ...shape: number[]) =>
    tf.mul(normal(seed, ...shape), 0.4) as X;
  return {
    ...{ wdkv: part<tf.Tensor2D>(1, C, R), wuk: part<tf.Tensor3D>(2, R, H, D) },
    ...{ wuv: part<tf.Tensor3D>(3, R, H, DV), wdq: part<tf.Tensor2D>(4, C, RQ) },
    ...{ wuq: part<tf.Tensor3D>(5, RQ, H, D), wkr: part<tf.Tensor2D>(6, C, DR) },
    ...{ wqr: part<tf.Tensor3D>(7, RQ, H, DR), wo: part<tf.Tensor3D>(8, H, DV, COUT) },
    ...{ gammaKv: tf.add<tf.Tensor1D>(part(9, R), 1), gammaQ: tf.add<tf.Tensor1D>(part(10, RQ), 1) },
  };
}

const input = (N = T) => tf.slice(normal<tf.Tensor3D>(20, B, T, C), [0, 0, 0], [B, N, C]);

const rms = (rows: Matrix, gamma: number[], epsilon: number): Matrix =>
  rows.map((row) => {
    const root = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / row.length + epsilon);
    return row.map((x, n) => (gamma[n]! * x) / root);
  });

/** x [N][I] with w [I][H][O] → [H][N][O] */
function headsOf(x: Matrix, w: tf.Tensor3D): number[][][] {
  const all = nested<number[][][]>(w);
  return all[0]!.map((_, h) =>
    project(
      x,
      all.map((rows) => rows[h]!),
    ),
  );
}

/** The rotation of mechanisms.ts for one vector at a position. */
function turned(x: readonly number[], at: number): number[] {
  const half = x.length / 2;
  const [c, s] = [Math.cos(0.7 * at), Math.sin(0.7 * at)];
  const [a, b] = [x.slice(0, half), x.slice(half)];
  return [...a.map((n, i) => n * c - b[i]! * s), ...a.map((n, i) => n * s + b[i]! * c)];
}

function latentTests(): void {
  it("equals the paper's formulas in float64 loops", () => {
    tf.tidy(() => {
      const [x, p] = [input(), parameters()];
      const numbers = (w: tf.Tensor) => nested<Matrix>(w);
      const [q, k, v]: [Heads, Heads, Heads] = [[], [], []];
      for (const rows of nested<Matrix[]>(x)) {
        const latent = rms(project(rows, numbers(p.wdkv)), nested<number[]>(p.gammaKv), 1e-6);
        const asks = rms(project(rows, numbers(p.wdq)), nested<number[]>(p.gammaQ), 1e-6);
        const place = project(rows, numbers(p.wkr)).map(turned);
        const queryPlaces = headsOf(asks, p.wqr).map((all) => all.map(turned));
        q.push(headsOf(asks, p.wuq).map((all, h) => all.map((row, t) => [...row, ...queryPlaces[h]![t]!])));
        k.push(headsOf(latent, p.wuk).map((all) => all.map((row, s) => [...row, ...place[s]!])));
        v.push(headsOf(latent, p.wuv));
      }
      const score = (e: number, _b: number, _h: number, t: number, s: number) => (s <= t ? e : -Infinity);
      const expected = attentionOracle(q, k, v, { scale: 1 / Math.sqrt(D + DR), score });
      const rows = expected.output.map((all) => all[0]!.map((_, t) => all.flatMap((head) => head[t]!)));
      const wo = numbers(tf.reshape(p.wo, [H * DV, COUT]));
      for (const absorbed of [false, true]) {
        const result = multiHeadLatentAttention(x, p, {
          ...{ rotate, causal: true, weights: true },
          absorbed,
        });
        // Norms, two projections, scores near 4: some dozens of roundings.
        expect(roundings(result.weights, expected.weights)).toBeLessThanOrEqual(64);
        expect(
          roundings(
            result.output,
            rows.map((one) => project(one, wo)),
          ),
        ).toBeLessThanOrEqual(64);
      }
    });
  });

  it("without compression is multi-head attention: an identity as the latents' projection", () => {
    tf.tidy(() => {
      const x = input();
      const [wuk, wuv, wuq] = [2, 3, 5].map((seed) =>
        tf.mul(normal<tf.Tensor3D>(seed, C, H, D), 0.3),
      ) as tf.Tensor3D[];
      const wo = normal<tf.Tensor3D>(8, H, D, COUT);
      const plain = multiHeadAttention({ query: x }, { wq: wuq!, wk: wuk!, wv: wuv!, wo }, { causal: true });
      const own = { wdkv: tf.eye(C) as tf.Tensor2D, wuk: wuk!, wuv: wuv!, wuq: wuq!, wo };
      for (const absorbed of [false, true]) {
        const { output } = multiHeadLatentAttention(x, own, { causal: true, absorbed });
        expect(roundings(output, plain.output.arraySync())).toBeLessThanOrEqual(64);
      }
    });
  });

  it.each([false, true])(
    "decodes token by token as at once, from latents alone (absorbed: %s)",
    (absorbed) => {
      tf.tidy(() => {
        for (const p of [parameters(), withoutPlaces()]) {
          const options = { ...("wkr" in p ? { rotate } : {}), causal: true, cache: true } as const;
          const whole = multiHeadLatentAttention(input(), p, options);
          let past = multiHeadLatentAttention(input(2), p, options).cache;
          for (let t = 2; t < T; t++) {
            const x = tf.slice(input(), [0, t, 0], [B, 1, C]);
            const { output, cache } = multiHeadLatentAttention(x, p, { ...options, past, absorbed });
            past = cache;
            const expected = tf.slice(whole.output, [0, t, 0], [B, 1, COUT]).arraySync();
            expect(roundings(output, expected), `t = ${t}`).toBeLessThanOrEqual(32);
          }
          expect(roundings(past.latent, whole.cache.latent.arraySync())).toBeLessThanOrEqual(8);
          expect(past.latent.shape).toEqual([B, T, R]);
          expect(past.positionKey?.shape).toEqual("wkr" in p ? [B, T, DR] : undefined);
        }
      });
    },
  );

  it("has the same gradients absorbed as plain", () => {
    tf.tidy(() => {
      const p = parameters();
      const names = Object.keys(p);
      const gradients = [false, true].map((absorbed) => {
        const f = (...all: tf.Tensor[]) => {
          const own = Object.fromEntries(names.map((name, n) => [name, all[n + 1]!]));
          const options: MultiHeadLatentOptions = { rotate, causal: true, absorbed };
          return multiHeadLatentAttention(
            all[0] as tf.Tensor3D,
            own as unknown as MultiHeadLatentParameters,
            options,
          ).output;
        };
        return tf.grads(f)([input(), ...Object.values(p)], normal<tf.Tensor3D>(30, B, T, COUT));
      });
      gradients[0]!.forEach((gradient, n) => {
        const far = roundings(gradients[1]![n]!, gradient.arraySync());
        expect(far, ["x", ...names][n]!).toBeLessThanOrEqual(128);
      });
    });
  });

  it("refuses parameters and caches that do not fit together", () => {
    tf.tidy(() => {
      const refuse = (own: object, options: MultiHeadLatentOptions, message: string) =>
        expect(() => multiHeadLatentAttention(input(), { ...parameters(), ...own }, options)).toThrow(
          message,
        );
      const name = "multiHeadLatentAttention:";
      refuse(
        { wkr: undefined },
        {},
        `${name} wkr and wqr must come together, got one of them; the two carry the positions`,
      );
      refuse(
        { wdq: undefined },
        {},
        `${name} gammaQ must come with wdq, got gammaQ alone; it is the norm of its latents`,
      );
      refuse(
        { wkr: undefined, wqr: undefined },
        { rotate },
        `${name} rotate must have wkr and wqr, got neither; they are what it rotates`,
      );
      refuse(
        { wuk: tf.zeros([R + 1, H, D]) },
        {},
        `${name} wuk must be float32 of shape [R, H, D] = [5, 3, 7], got`,
      );
      refuse({ wuv: tf.zeros([R, H + 1, DV]) }, {}, "wuv must be float32 of shape [R, H, Dv] = [5, 3, 11]");
      refuse({ wuq: tf.zeros([C, H, D]) }, {}, "wuq must be float32 of shape [Rq, H, D] = [2, 3, 7]");
      refuse({ wdkv: tf.zeros([C, H, R]) }, {}, `${name} wdkv [C, R] must have rank 2`);
      refuse({}, { epsilon: 0 }, `${name} epsilon must be above 0, got 0`);
      refuse(
        {},
        { past: { latent: tf.zeros([B, 2, R]) } },
        `${name} past.positionKey and wkr must come together, got one of them; ` +
          "pass the cache of a call with the same parameters",
      );
      const past = {
        latent: tf.zeros<tf.Rank.R3>([B, 2, R + 1]),
        positionKey: tf.zeros<tf.Rank.R3>([B, 2, DR]),
      };
      refuse({}, { past }, "past.latent must be float32 of shape [B, P, R] = [2, 2, 5]");
    });
  });
}

function withoutPlaces(): MultiHeadLatentParameters {
  const { wkr: _, wqr: __, wdq: ___, gammaQ: ____, ...p } = parameters();
  return { ...p, wuq: tf.mul(normal<tf.Tensor3D>(11, C, H, D), 0.3) };
}

onEveryBackend("multiHeadLatentAttention", latentTests);
