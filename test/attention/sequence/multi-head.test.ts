import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  fromTorchInProj,
  type MultiHeadParameters,
  multiHeadAttention,
  softAttention,
  type TorchInProj,
} from "../../../src/attention/sequence/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { distance, onEveryBackend } from "../support.ts";
import { casesOf, expectCase, toTensor } from "./fixture.ts";
import { attentionOracle, type Heads, type Matrix, nested, normal, project, roundings } from "./oracle.ts";

const [B, T, S, H, HKV, D, DV, C, CK, CV, COUT] = [2, 3, 5, 6, 3, 7, 11, 13, 17, 19, 23];

function parameters(Hkv = HKV): Required<MultiHeadParameters> {
  const part = <X extends tf.Tensor>(seed: number, ...shape: number[]) =>
    tf.mul(normal(seed, ...shape), 0.3) as X;
  return {
    wq: part(1, C, H, D),
    bq: part(2, H, D),
    wk: part(3, CK, Hkv, D),
    bk: part(4, Hkv, D),
    wv: part(5, CV, Hkv, DV),
    bv: part(6, Hkv, DV),
    wo: part(7, H, DV, COUT),
    bo: part(8, COUT),
  };
}

const inputs = () => ({
  query: normal<tf.Tensor3D>(9, B, T, C),
  key: normal<tf.Tensor3D>(10, B, S, CK),
  value: normal<tf.Tensor3D>(11, B, S, CV),
});

/** x [N][C] → [H][N][D] with w [C][H][D] and b [H][D]. */
function headsOf(x: Matrix, w: tf.Tensor3D, b: tf.Tensor2D): number[][][] {
  return nested<Matrix>(b).map((bias, h) =>
    project(
      x,
      nested<number[][][]>(w).map((rows) => rows[h]!),
      bias,
    ),
  );
}

/** PyTorch's names, and the transposed gradients of its parameters come by themselves. */
const torchParameters = (state: Record<string, tf.Tensor>, heads: number) =>
  fromTorchInProj(state as unknown as TorchInProj, heads);

function multiHeadTests(): void {
  it.each(casesOf("torch"))("equals PyTorch's MultiheadAttention, gradients included: %s", (_, one) => {
    tf.tidy(() => {
      const { padding, hidden } = one;
      const negated = (values: number[], shape: number[]) =>
        tf.tensor(
          values.map((value) => 1 - value),
          shape,
          "bool",
        );
      const allow = hidden && negated(hidden.values, hidden.shape);
      const keyLengths = padding && [3, 5];
      const call = ({ query, key, value, ...state }: Record<string, tf.Tensor>) =>
        multiHeadAttention({ query, key, value } as never, torchParameters(state, one.H), {
          ...{ allow, keyLengths, weights: true },
        });
      expectCase(one, { ...one.inputs, ...one.state }, (x) => call(x).output);
      const all = Object.entries({ ...one.inputs, ...one.state }).map(([name, x]) => [name, toTensor(x)]);
      const { weights } = call(Object.fromEntries(all) as Record<string, tf.Tensor>);
      expect(weights!.shape).toEqual(one.weights.shape);
      expect(distance(weights!.dataSync(), one.weights.values)).toBeLessThanOrEqual(1e-5);
    });
  });

  it.each(casesOf("keras"))("equals Keras' layers with their kernels as they are: %s", (_, one) => {
    tf.tidy(() => {
      const { mask } = one;
      const allow = mask && tf.tensor4d(mask.values, [2, 1, 3, 5], "bool");
      const call = (x: Record<string, tf.Tensor>) => {
        const { query, key, value } = x;
        const own = {
          ...{
            wq: x["query/kernel"],
            wk: x["key/kernel"],
            wv: x["value/kernel"],
            wo: x["attention_output/kernel"],
          },
          ...{ bq: x["query/bias"], bk: x["key/bias"], bv: x["value/bias"], bo: x["attention_output/bias"] },
        };
        return multiHeadAttention({ query, key, value } as never, own as never, { allow, weights: true });
      };
      expectCase(one, { ...one.inputs, ...one.variables }, (x) => call(x).output);
      const all = Object.entries({ ...one.inputs, ...one.variables }).map(([name, x]) => [name, toTensor(x)]);
      const { weights } = call(Object.fromEntries(all) as Record<string, tf.Tensor>);
      expect(distance(weights!.dataSync(), one.weights.values)).toBeLessThanOrEqual(1e-5);
    });
  });

  it("equals its formula in float64 loops, with key/value heads that are shared", () => {
    tf.tidy(() => {
      const { query, key, value } = inputs();
      const p = parameters();
      const allow = (b: number, h: number, t: number, s: number) => (b + h + t * s) % 3 !== 0;
      const heads = (x: tf.Tensor3D, w: tf.Tensor3D, b: tf.Tensor2D): Heads =>
        nested<number[][][]>(x).map((rows) => headsOf(rows, w, b));
      const [q, k, v] = [heads(query, p.wq, p.bq), heads(key, p.wk, p.bk), heads(value, p.wv, p.bv)];
      const score = (e: number, ...at: [number, number, number, number]) => (allow(...at) ? e : -Infinity);
      const expected = attentionOracle(q, k, v, { score });
      const rows = expected.output.map((all) => all[0]!.map((_, t) => all.flatMap((head) => head[t]!)));
      const wo = nested<Matrix>(tf.reshape(p.wo, [H * DV, COUT]));
      const output = rows.map((x) => project(x, wo, nested<number[]>(p.bo)));
      const flags = Uint8Array.from({ length: B * H * T * S }, (_, e) =>
        Number(allow(Math.floor(e / (H * T * S)), Math.floor(e / (T * S)) % H, Math.floor(e / S) % T, e % S)),
      );
      const result = multiHeadAttention({ query, key, value }, p, {
        ...{ allow: tf.tensor4d(flags, [B, H, T, S], "bool"), weights: true, lse: true },
      });
      expect(result.output.shape).toEqual([B, T, COUT]);
      expect(result.lse.shape).toEqual([B, H, T]);
      // Weights err by the scores' roundings: √(C·D) + √D of numbers near 4. Outputs sum H·DV of what errs so.
      expect(roundings(result.weights, expected.weights)).toBeLessThanOrEqual(64);
      expect(roundings(result.output, output)).toBeLessThanOrEqual(64);
    });
  });

  it("equals H attentions of one head each, put side by side and projected", () => {
    tf.tidy(() => {
      const { query, key, value } = inputs();
      const p = parameters(H);
      const headOf = (w: tf.Tensor, h: number) => tf.slice(w, [0, h, 0], [-1, 1, -1]) as tf.Tensor3D;
      const biasOf = (b: tf.Tensor, h: number) => tf.slice(b, [h, 0], [1, -1]) as tf.Tensor2D;
      const heads = Array.from({ length: H }, (_, h) => {
        const one = { wq: headOf(p.wq, h), wk: headOf(p.wk, h), wv: headOf(p.wv, h) };
        const biases = { bq: biasOf(p.bq, h), bk: biasOf(p.bk, h), bv: biasOf(p.bv, h) };
        return multiHeadAttention({ query, key, value }, { ...one, ...biases }, { causal: "topLeft" }).output;
      });
      const joined = tf.reshape(tf.concat(heads, 2), [B * T, H * DV]);
      const expected = tf.add(tf.matMul(joined, tf.reshape(p.wo, [H * DV, COUT])), p.bo).dataSync();
      const { output } = multiHeadAttention({ query, key, value }, p, { causal: "topLeft" });
      const size = Math.max(...expected.map(Math.abs));
      expect(distance(output.dataSync(), expected)).toBeLessThanOrEqual(1e-6 * size);
    });
  });

  it("takes the key from the value and the value from the query where they are left out", () => {
    tf.tidy(() => {
      const [x, y] = [normal<tf.Tensor3D>(12, B, T, C), normal<tf.Tensor3D>(13, B, S, C)];
      const p = {
        ...parameters(),
        wk: normal<tf.Tensor3D>(14, C, HKV, D),
        wv: normal<tf.Tensor3D>(15, C, HKV, DV),
      };
      const bits = (inputs: Parameters<typeof multiHeadAttention>[0]) =>
        multiHeadAttention(inputs, p).output.dataSync();
      expect(bits({ query: x })).toEqual(bits({ query: x, key: x, value: x }));
      expect(bits({ query: x, value: y })).toEqual(bits({ query: x, key: y, value: y }));
    });
  });

  it("puts the heads side by side without wo", () => {
    tf.tidy(() => {
      const { wo: _, bo: __, ...p } = parameters();
      const { output } = multiHeadAttention(inputs(), p);
      expect(output.shape).toEqual([B, T, H * DV]);
      const flat = (x: tf.Tensor, w: tf.Tensor3D, b: tf.Tensor2D) => {
        const rows = tf.matMul(tf.reshape(x, [-1, w.shape[0]]), tf.reshape(w, [w.shape[0], -1]));
        return tf.reshape(tf.add(rows, tf.reshape(b, [-1])), [B, x.shape[1]!, ...b.shape]) as tf.Tensor4D;
      };
      const { query, key, value } = inputs();
      const [q, k, v] = [flat(query, p.wq, p.bq), flat(key, p.wk, p.bk), flat(value, p.wv, p.bv)];
      const expected = softAttention(q, k, v, { layout: "bthd" }).output.dataSync();
      expect(distance(output.dataSync(), expected)).toBeLessThanOrEqual(1e-5);
    });
  });

  it("keeps the fused kernel with dropout, whose weights are those before it", async () => {
    const x = inputs();
    const p = parameters();
    const dropped = { dropout: { rate: 0.4, seed: 3 }, training: true };
    const { kernels } = await tf.profile(() => multiHeadAttention(x, p, dropped).output);
    const names = kernels.map(({ name }) => name).filter((name) => /Attention/.test(name));
    expect(names).toEqual(["HeedAttention"]);
    tf.tidy(() => {
      const [plain, other] = [{}, dropped].map((own) => multiHeadAttention(x, p, { ...own, weights: true }));
      expect(other!.weights!.dataSync()).toEqual(plain!.weights!.dataSync());
      expect(other!.output.dataSync()).not.toEqual(plain!.output.dataSync());
      const asleep = multiHeadAttention(x, p, { dropout: dropped.dropout }).output.dataSync();
      expect(asleep).toEqual(plain!.output.dataSync());
    });
    tf.dispose([x, p]);
  });

  it("refuses what does not fit together, by name and before anything is computed", () => {
    tf.tidy(() => {
      const x = inputs();
      const p = parameters();
      const refuse = (own: object, message: string) => {
        const { query, key, value, ...rest } = { ...x, ...p, ...own };
        const before = tf.memory().numTensors;
        expect(() => multiHeadAttention({ query, key, value }, rest)).toThrow(message);
        expect(tf.memory().numTensors).toBe(before);
      };
      refuse(
        { wq: tf.zeros([C + 1, H, D]) },
        "multiHeadAttention: wq must be float32 of shape [C, H, D] = [13, 6, 7], got float32 of shape [14, 6, 7]; " +
          "the letters must mean the same sizes in all of the call's tensors",
      );
      refuse({ wk: tf.zeros([CK, HKV, D + 1]) }, "wk must be float32 of shape [Ck, Hkv, D] = [17, 3, 7]");
      refuse({ wv: tf.zeros([CV, HKV + 1, DV]) }, "wv must be float32 of shape [Cv, Hkv, Dv] = [19, 3, 11]");
      refuse({ wo: tf.zeros([H, DV + 1, COUT]) }, "wo must be float32 of shape [H, Dv, Cout] = [6, 11, 23]");
      refuse({ bo: tf.zeros([COUT + 1]) }, "bo must be float32 of shape [Cout] = [23]");
      refuse(
        { wq: tf.zeros([C, H * D]) },
        "multiHeadAttention: wq [C, H, D] must have rank 3, got shape [13, 42]",
      );
      refuse({ query: tf.zeros([T, C]) }, "query [B, T, C] must have rank 3");
      refuse({ query: tf.zeros([B, T, C], "int32") }, "query must be float32 of shape [B, T, C]");
      refuse({ key: tf.zeros([B, S + 1, CK]) }, "key [B, S, Ck] and value [B, S, Cv] must have the same S");
      refuse({ key: tf.zeros([B + 1, S, CK]) }, "query [B, T, C] and key [B, S, Ck] must have the same B");
      refuse({ wo: undefined }, "multiHeadAttention: bo must come with wo, got bo alone");
      refuse(
        { wk: tf.zeros([CK, 4, D]), wv: tf.zeros([CV, 4, DV]), bk: undefined, bv: undefined },
        "multiHeadAttention: query heads H=6 must be a multiple of key/value heads Hkv=4",
      );
      expect(() => multiHeadAttention(x, p, { causal: true })).toThrow(OptionError);
      expect(() => multiHeadAttention(x, { ...p, wq: tf.zeros([C, 0, D]) })).toThrow(ShapeError);
    });
  });

  it("refuses PyTorch's state where it is not whole", () => {
    tf.tidy(() => {
      const state = {
        in_proj_weight: tf.ones<tf.Rank.R2>([12, 4]),
        "out_proj.weight": tf.ones<tf.Rank.R2>([4, 4]),
      };
      expect(() => fromTorchInProj(state, 3)).toThrow(
        "fromTorchInProj: H must be a divisor of the width C=4, got 3; choose one in that range or leave it out",
      );
      const { in_proj_weight: _, ...without } = state;
      expect(() => fromTorchInProj(without, 2)).toThrow(
        "fromTorchInProj: in_proj_weight or q_proj_weight, k_proj_weight and v_proj_weight must be given, got " +
          "out_proj.weight; pass the one or the three that the module has",
      );
      expect(() => fromTorchInProj({ in_proj_weight: state.in_proj_weight }, 2)).toThrow(
        "fromTorchInProj: out_proj.weight must be given, got in_proj_weight; pass the state of one module, without the " +
          "prefix of its name",
      );
      expect(() => fromTorchInProj({ ...state, bias_k: tf.ones([1, 1, 4]) } as TorchInProj, 2)).toThrow(
        "fromTorchInProj: bias_k and bias_v must not be given",
      );
      expect(() => fromTorchInProj({ ...state, in_proj_bias: tf.ones([4]) }, 2)).toThrow(
        "in_proj_bias must be float32 of shape [3·C] = [12]",
      );
      expect(() => fromTorchInProj({ ...state, in_proj_weight: tf.ones([4, 12]) }, 2)).toThrow(
        "in_proj_weight must be float32 of shape [3·C, C] = [12, 4]",
      );
    });
  });
}

onEveryBackend("multiHeadAttention", multiHeadTests);
