import { Evaluator } from "../../src/core/expression/evaluate.ts";
import { planBlock } from "../../src/core/expression/intervals.ts";
import { compileModification } from "../../src/core/expression/modification.ts";
import {
  alibiScoreMod,
  documentMaskMod,
  softCapScoreMod,
  windowMaskMod,
} from "../../src/core/expression/presets/index.ts";
import type { HostArray } from "../../src/core/notation.ts";
import { RandomStream } from "../../src/core/random.ts";
import { type AttentionOptions, attention, attentionBackward } from "../../src/kernels/attention.ts";
import { init } from "../../src/kernels/init.ts";
import { medianOf } from "../statistics.ts";
import { clock } from "./clock.ts";

export const COMPARED = ["alibi", "softCap", "window"] as const;
type Compared = (typeof COMPARED)[number];

const H = 4;
const T = 1024;
const D = 64;
const LONG = 2048;
const DOCUMENTS = 8;
const ROUNDS = 15;
/** Queries and keys of the kernels' blocks. */
const BLOCK = { queries: 48, keys: 96 };

function normal(seed: number, n: number): Float32Array {
  return new RandomStream(seed).fillNormal(new Float32Array(n), 0, 1);
}

/** ALiBi as a bias [1, H, T, T]. */
function alibiBias(): HostArray {
  const values = new Float32Array(H * T * T);
  for (let h = 0; h < H; h++) {
    const slope = 2 ** ((-8 * (h + 1)) / H);
    for (let q = 0; q < T; q++) {
      for (let k = 0; k < T; k++) values[(h * T + q) * T + k] = -slope * Math.abs(k - q);
    }
  }
  return { shape: [1, H, T, T], dtype: "float32", values };
}

/** The same attention by an option of its own and by a function. */
function pairs(): Record<Compared, [AttentionOptions, AttentionOptions]> {
  return {
    alibi: [{ bias: alibiBias() }, { scoreMod: alibiScoreMod(H) }],
    softCap: [{ softCap: 20 }, { scoreMod: softCapScoreMod(20) }],
    window: [{ window: { left: 128, right: 128 } }, { maskMod: windowMaskMod(128, 128) }],
  };
}

interface Timed {
  forward: number;
  backward: number;
}

/** Milliseconds of processor time of a call and of its gradients. */
function time(n: number, options: AttentionOptions, x: readonly Float32Array[]): Timed {
  const [q, k, v, dout] = x as [Float32Array, Float32Array, Float32Array, Float32Array];
  const begun = clock();
  const { saved } = attention(q, k, v, { B: 1, H, T: n, S: n, D }, options);
  const between = clock();
  attentionBackward(dout, saved);
  return { forward: between - begun, backward: clock() - between };
}

const arrays = (n: number) => [1, 2, 3, 4].map((seed) => normal(seed, H * n * D));

/**
 * How fast functions are beside the options that do the same: the time of the option over that of the function, the median
 * of rounds in which both run in turn. A bias has gradients of T × T that a function of no tensors has not: backward is
 * compared for the others alone.
 */
export async function functionSpeeds(onProgress: (share: number) => void): Promise<Record<string, number>> {
  await init();
  const x = arrays(T);
  const metrics: Record<string, number> = {};
  const all = Object.entries(pairs());
  for (const [n, [name, [option, modified]]] of all.entries()) {
    const forward: number[] = [];
    const backward: number[] = [];
    for (let round = -2; round < ROUNDS; round++) {
      const one = time(T, option, x);
      const other = time(T, modified, x);
      if (round < 0) continue;
      forward.push(one.forward / other.forward);
      backward.push(one.backward / other.backward);
    }
    metrics[name] = medianOf(forward);
    if (name !== "alibi") metrics[`${name}-gradients`] = medianOf(backward);
    onProgress((n + 1) / (all.length + 1));
  }
  return { ...metrics, ...documentCost(onProgress) };
}

/** The time of eight documents over that of as many visited blocks without a mask. */
function documentCost(onProgress: (share: number) => void): Record<string, number> {
  const x = arrays(LONG);
  const document: HostArray = {
    shape: [1, LONG],
    dtype: "int32",
    values: Int32Array.from({ length: LONG }, (_, i) => Math.floor((i * DOCUMENTS) / LONG)),
  };
  const options = { maskMod: documentMaskMod, tensors: { document } };
  const visited = visitedShare(options);
  const ratios: { forward: number[]; backward: number[] } = { forward: [], backward: [] };
  for (let round = -2; round < ROUNDS; round++) {
    const dense = time(LONG, {}, x);
    const masked = time(LONG, options, x);
    if (round < 0) continue;
    ratios.forward.push(masked.forward / (dense.forward * visited));
    ratios.backward.push(masked.backward / (dense.backward * visited));
  }
  onProgress(1);
  return {
    visited,
    documents: medianOf(ratios.forward),
    "documents-gradients": medianOf(ratios.backward),
  };
}

/** The share of blocks that are not skipped. */
function visitedShare(options: Pick<AttentionOptions, "maskMod" | "tensors">): number {
  const { nodes, mask, tensors } = compileModification<HostArray>("score-mod", options)!;
  const evaluator = new Evaluator([planBlock(nodes, { mask: mask! }).visible], tensors);
  let [visible, all] = [0, 0];
  for (let q0 = 0; q0 < LONG; q0 += BLOCK.queries) {
    for (let k0 = 0; k0 < LONG; k0 += BLOCK.keys) {
      const q1 = Math.min(LONG, q0 + BLOCK.queries) - 1;
      const k1 = Math.min(LONG, k0 + BLOCK.keys) - 1;
      visible += evaluator.run({ b: 0, h: 0, q0, q1, k0, k1 })[0]!;
      all++;
    }
  }
  return visible / all;
}
