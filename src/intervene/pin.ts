import {
  broadcastTo,
  concat,
  gather,
  matMul,
  reshape,
  type Tensor,
  tensor,
  tensor1d,
  zeros,
} from "@tensorflow/tfjs-core";
import { ShapeError } from "../core/errors.ts";
import { show } from "../core/notation.ts";
import { addConstant, cleaned, isKnownFinite, strayValues } from "../ops/attention/guard.ts";
import type { Edit } from "./edit.ts";
import type { Pin } from "./intervention.ts";
import { nameOf } from "./refuse.ts";
import { regionOf, type Site } from "./region.ts";

/** Rows of weights in the place of those of the softmax; their output is made row by row. */
export function pinOf(site: Site, given: Pin): Edit {
  const { B, T, S, H, Hkv } = site.shapes;
  const { axes } = regionOf(site, given);
  const examples = axes[0] ?? countTo(B);
  const heads = axes[1] ?? countTo(H);
  const queries = axes[2] ?? countTo(T);
  const { rows, shape } = rowsOf(site, given, heads.length, queries.length);
  const [perHead, perQuery] = shape;
  const numberOf = (h: number, t: number) => (perHead === 1 ? 0 : h) * perQuery + (perQuery === 1 ? 0 : t);
  const put = (x: Tensor, pinned: Tensor, rowOf: (b: number, h: number, t: number) => number): Tensor => {
    const from = Int32Array.from({ length: B * H * T }, (_, row) => row);
    for (const b of examples)
      for (const [hn, h] of heads.entries())
        for (const [tn, t] of queries.entries()) from[(b * H + h) * T + t] = B * H * T + rowOf(b, hn, tn);
    const width = x.shape[3]!;
    const all = concat([reshape(x, [-1, width]), reshape(pinned, [-1, width])]);
    return reshape(gather(all, tensor1d(from, "int32")), x.shape);
  };
  const pinned = () => tensor(rows, [perHead, perQuery, S]);
  return {
    weights: (before) => put(before(), pinned(), (_, h, t) => numberOf(h, t)),
    readsValues: true,
    passesMasks: true,
    output: (before, values) => {
      // The values of each head that is pinned: [B, heads, S, Dv].
      const groups = heads.map((h) => Math.floor((h * Hkv) / H));
      const own = Hkv === 1 ? values : gather(values, tensor1d([...groups], "int32"), 1);
      const many = own.shape[1]!;
      const across = many > 1 ? heads.length : perHead;
      const shares = broadcastTo(pinned(), [B, across, perQuery, S]);
      const outputs = weightedSum(
        shares,
        many === across ? own : broadcastTo(own, [B, across, ...own.shape.slice(2)]),
      );
      const rowOf = (b: number, h: number, t: number) =>
        (b * across + (across === 1 ? 0 : h)) * perQuery + (perQuery === 1 ? 0 : t);
      return put(before(), outputs, rowOf);
    },
  };
}

const countTo = (n: number): number[] => Array.from({ length: n }, (_, at) => at);

/** The given rows, flat, and how many there are: [heads or 1, queries or 1]. @throws ShapeError SHAPE */
function rowsOf(site: Site, { weights }: Pin, heads: number, queries: number) {
  const shape: number[] = [];
  for (let one: unknown = weights; Array.isArray(one); one = one[0]) shape.push(one.length);
  const { S } = site.shapes;
  const expected = [heads, queries, S].slice(3 - shape.length);
  const rows = (weights as unknown[]).flat(2) as number[];
  if (`${shape}` !== `${expected}` || rows.length !== expected.reduce((a, b) => a * b, 1)) {
    const rule = `${site.name}.weights must be [S], [queries][S] or [heads][queries][S] of ${show([heads, queries, S])}, as ${nameOf(site.call)} has S=${S}`;
    const remedy = "give one weight for each key";
    const fault = { op: site.op, rule, got: show(shape), remedy, expected };
    throw new ShapeError("SHAPE", fault);
  }
  const [perHead, perQuery] = [...new Array(3 - shape.length).fill(1), ...shape] as [number, number];
  return { rows, shape: [perHead, perQuery] as const };
}

/** Σ_s weights_ts v_s: a weight of 0 reads nothing, not even NaN, so that one weight of 1 gives exactly that value. */
export function weightedSum(weights: Tensor, values: Tensor): Tensor {
  if (isKnownFinite(values)) return matMul(weights, values);
  const nowhere = zeros(weights.shape, "bool");
  return addConstant(matMul(weights, cleaned(values)), strayValues(weights, nowhere, values));
}
