/** No attention kernel writes outside of its results and scratch, whatever the tails of its blocks. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  PROBLEM_BYTES,
  PROBLEM_FIELDS,
  writeProblem,
} from "../../../../src/kernels/wasm/attention/problem.ts";
import { instantiateKernels } from "../../../../src/kernels/wasm/load.ts";
import { allowRelaxedSimd } from "../../../../src/kernels/wasm/relaxed.ts";

const PAGES = 64;
const PROBLEM = 1024;
const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

/** The largest weights of each query, tiles of keys, and the side of blocks. */
const [TOP, TILES, SIDE] = [3, 2, 5];

/** T, S, D, Dv. */
const SIZES = [
  [1, 1, 1, 1],
  [3, 7, 5, 3],
  [4, 97, 9, 33],
  [5, 23, 8, 9],
  [49, 25, 3, 17],
  [97, 101, 13, 7],
] as const;

describe.each(["relaxed", "plain"] as const)("Attention of the %s build", (build) => {
  beforeAll(allowRelaxedSimd);

  it.each(SIZES)("stays inside its arrays at T = %i, S = %i, D = %i, Dv = %i", (T, S, D, Dv) => {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
    const kernels = instantiateKernels(memory, build);
    const bytes = Buffer.from(memory.buffer);
    for (let at = 0; at < bytes.length; at++) bytes[at] = Math.imul(at + 1, 0x9e3779b1) >>> 24;
    const [wideD, wideDv, T6, S24] = [roundUp(D, 8), roundUp(Dv, 8), roundUp(T, 6), roundUp(S, 24)];
    const scratch = Math.max(
      kernels.attentionScratchBytes!(D, Dv),
      kernels.attentionWeightsScratchBytes!(D),
      kernels.attentionBackwardScratchBytes!(),
    );
    const inputs = {
      ...{ q: T * D, k: S * D, v: S * Dv, dout: T * Dv, bias: T * S, allow: (T * S) / 4 },
      tileStarts: TILES + 1,
    };
    const results = {
      ...{ out: T * Dv, lse: T, lseLow: T, weights: T * S, dq: T * D, dk: S * D, dv: S * Dv },
      ...{ dkSum: S24 * wideD, dvSum: S24 * wideDv, partial: T6 * wideD },
      ...{ dbias: T * S, delta: T, empty: T / 4, rowFlags: S / 4, doutFlags: T / 4, scratch: scratch / 4 },
      ...{ keyPanels: S24 * D, valueStrips: S * wideDv, valuePanels: S24 * Dv, keyStrips: S * wideD },
      ...{ entropy: 2 * T, distance: 2 * T, topWeights: T * TOP, topKeys: T * TOP },
      ...{ tileSums: 2 * T * TILES, columnSums: Math.ceil(T / 48) * S24 },
      blockMax: T * Math.ceil(S / SIDE),
      ...{ queryPanels: T6 * D, queryStrips: T * wideD, doutPanels: T6 * Dv, doutStrips: T * wideDv },
    };
    const at: Record<string, number> = {};
    let top = PROBLEM + PROBLEM_BYTES + 64;
    const inside = new Uint8Array(bytes.length).fill(1, PROBLEM, PROBLEM + PROBLEM_BYTES);
    for (const [name, floats] of Object.entries({ ...inputs, ...results })) {
      const length = Math.ceil(4 * floats);
      at[name] = top;
      for (let at = 0; at < length; at += 4) bytes.writeFloatLE(0.5, top + at);
      if (name in results) inside.fill(1, top, top + length);
      top = roundUp(top + length + 16, 16);
    }
    expect(top).toBeLessThan(bytes.length);
    bytes.fill(0, PROBLEM, PROBLEM + PROBLEM_BYTES);
    const band = { low: -(2 ** 29), high: 2, biasRow: S, biasKey: 1, allowRow: S, allowKey: 1 };
    const rest = { softCap: 3, scale: 0.5, sink: -Infinity, keepScale: 2, threshold: 2 ** 31 };
    const addresses = Object.entries(at).filter(([name]) => name in PROBLEM_FIELDS);
    const strides = { qRow: D, kRow: D, vRow: Dv, outRow: Dv };
    writeProblem(memory, PROBLEM, { ...Object.fromEntries(addresses), ...strides });
    writeProblem(memory, PROBLEM, { ...band, ...rest, T, S, D, Dv });
    writeProblem(memory, PROBLEM, {
      topCount: TOP,
      tileColumns: TILES,
      blockSide: SIDE,
      blockColumns: Math.ceil(S / SIDE),
      offset: 1,
    });
    for (const [n, start] of [0, S >> 1, S].entries()) bytes.writeInt32LE(start, at.tileStarts! + 4 * n);
    const before = Buffer.from(bytes);
    kernels.attentionKeys!(PROBLEM);
    kernels.attentionForward!(PROBLEM, 0, T, at.scratch!);
    kernels.attentionWeightKeys!(PROBLEM);
    kernels.attentionWeights!(PROBLEM, 0, T, at.scratch!);
    kernels.attentionProbe!(PROBLEM, 0, T, at.scratch!);
    kernels.attentionBackwardKeys!(PROBLEM);
    kernels.attentionBackwardQueries!(PROBLEM);
    kernels.attentionBackward!(PROBLEM, 0, T, 0, S, at.partial!, at.dbias!, 0, at.scratch!);
    kernels.attentionBackwardQueriesDone!(PROBLEM, at.partial!, 1, 0);
    kernels.attentionBackwardKeysDone!(PROBLEM);
    const touched = inside.findIndex((mine, n) => !mine && bytes[n] !== before[n]);
    const owner = Object.entries(at).findLast(([, address]) => address <= touched)?.[0];
    expect(touched < 0 ? "" : `${touched - at[owner!]!} bytes into ${owner}`).toBe("");
    expect(bytes.subarray(at.out).readFloatLE()).not.toBe(0.5);
    expect(bytes.subarray(at.topKeys! + 4 * TOP * (T - 1)).readInt32LE()).toBeLessThan(S);
  });
});
