/** No additive kernel writes outside of its results and scratch, whatever its tails. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  ADDITIVE,
  type AdditiveArrays,
  type AdditiveField,
} from "../../../src/kernels/wasm/additive-problem.ts";
import { instantiateKernels } from "../../../src/kernels/wasm/load.ts";
import { allowRelaxedSimd } from "../../../src/kernels/wasm/relaxed.ts";

const PAGES = 8;
const PROBLEM = 1024;
const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

/** B, T, S, A, Dv. */
const SIZES = [
  [1, 1, 1, 1, 1],
  [2, 3, 7, 5, 3],
  [3, 1, 13, 9, 33],
  [1, 9, 23, 8, 9],
  [2, 17, 16, 3, 17],
  [1, 31, 47, 13, 35],
] as const;

describe.each(["relaxed", "plain"] as const)("Additive attention of the %s build", (build) => {
  beforeAll(allowRelaxedSimd);

  // 0.5 is tame; 40 gives every pair a tanh of its own.
  it.each(SIZES.flatMap((sizes) => [0.5, 40].map((x) => [...sizes, x] as const)))(
    "stays inside its arrays at B = %i, T = %i, S = %i, A = %i, Dv = %i with units of %d",
    (B, T, S, A, Dv, unit) => {
      const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
      const kernels = instantiateKernels(memory, build);
      const bytes = Buffer.from(memory.buffer);
      for (let at = 0; at < bytes.length; at++) bytes[at] = Math.imul(at + 1, 0x9e3779b1) >>> 24;
      const inputs = {
        ...{ query: B * T * A, key: B * S * A, v: A, value: B * S * Dv, bias: T * S, allow: (T * S) / 4 },
        ...{ dout: B * T * Dv, dlse: B * T, dweights: B * T * S },
      };
      const results = {
        ...{ out: B * T * Dv, lse: B * T, weights: B * T * S, dquery: B * T * A, dkey: B * S * A, dv: A },
        ...{ dvalue: B * S * Dv, dbias: T * S, dsink: 1 },
      };
      // Forward and backward each with its own scratch and nothing more.
      const scratches = {
        forward: kernels.additiveScratchBytes!(S, A, 0) / 4,
        backward: kernels.additiveScratchBytes!(S, A, 1) / 4,
      };
      const places: Record<string, number> = {};
      const problemBytes = kernels.additiveProblemBytes!();
      expect(problemBytes).toBeGreaterThan(ADDITIVE.bytes);
      let top = PROBLEM + problemBytes + 64;
      const inside = new Uint8Array(bytes.length).fill(1, PROBLEM, PROBLEM + problemBytes);
      for (const [name, floats] of Object.entries({ ...inputs, ...results, ...scratches })) {
        const length = Math.ceil(4 * floats);
        places[name] = top;
        for (let at = 0; at + 4 <= length; at += 4) {
          bytes.writeFloatLE(name === "query" || name === "key" ? unit : 0.5, top + at);
        }
        if (!(name in inputs)) inside.fill(1, top, top + length);
        top = roundUp(top + length + 16, 16);
      }
      expect(top).toBeLessThan(bytes.length);
      const { forward, backward, ...arrays } = places;
      const fields: AdditiveArrays = {
        ...(arrays as Record<AdditiveField, number>),
        ...{ B, T, S, A, Dv, low: -(2 ** 29), high: 3, biasT: S, biasS: 1, allowT: S, allowS: 1 },
        ...{ softCap: 3, sink: 0.25, threshold: 2 ** 31, keepScale: 2, onEmpty: 2 },
      };
      bytes.fill(0, PROBLEM, PROBLEM + problemBytes);
      const before = Buffer.from(bytes);
      ADDITIVE.write(memory.buffer, PROBLEM, { ...fields, scratch: forward! });
      kernels.additiveForward!(PROBLEM);
      ADDITIVE.write(memory.buffer, PROBLEM, { scratch: backward! });
      kernels.additiveBackward!(PROBLEM);
      const touched = inside.findIndex((mine, at) => !mine && bytes[at] !== before[at]);
      const owner = Object.entries(places).findLast(([, address]) => address <= touched)?.[0];
      expect(touched < 0 ? "" : `${touched - places[owner!]!} bytes into ${owner}`).toBe("");
      expect(bytes.readFloatLE(places.lse)).not.toBe(0.5);
      expect(bytes.readFloatLE(places.dvalue)).not.toBe(0.5);
    },
  );
});
