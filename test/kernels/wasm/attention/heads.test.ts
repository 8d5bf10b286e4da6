/** Many heads in one call of a kernel give the bits of one head after another. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AttentionEngine } from "../../../../src/kernels/wasm/attention/engine.ts";
import { allowRelaxedSimd } from "../../../../src/kernels/wasm/relaxed.ts";
import { type KernelSpace, SerialSpace } from "../../../../src/kernels/wasm/space.ts";
import { cases } from "../../arbitrary.ts";
import { type Arrays, type Case, makeCase, runFused } from "../../cases.ts";

allowRelaxedSimd();

const kernels: string[] = [];
/** A space of so many threads, which says what it runs. Work is handed out from `leastFlops` on. */
function listening(threads: number, leastFlops: number): KernelSpace {
  const serial = SerialSpace.create("relaxed");
  return {
    ...{ memory: serial.memory, kernels: serial.kernels, threads, leastFlops },
    run: (kernel, calls, flops, scratch) => {
      kernels.push(kernel);
      serial.run(kernel, calls.toReversed(), flops, scratch);
    },
  };
}

const oneByOne = new AttentionEngine(listening(1009, 0));
const together = new AttentionEngine(listening(1, Number.POSITIVE_INFINITY));

function run(engine: AttentionEngine, one: Case): { results: Arrays; used: string[] } {
  kernels.length = 0;
  return { results: runFused(engine, one), used: [...new Set(kernels)] };
}

describe("Many heads at once", () => {
  it("have the bits of one after another, whatever the program", () => {
    fc.assert(
      fc.property(cases, ([shapes, options, seed, gain]) => {
        const one = makeCase(shapes, options, seed, gain);
        const [a, b] = [run(oneByOne, one), run(together, one)];
        expect(a.used).not.toContain("attentionHeads");
        expect(b.used).toContain("attentionHeads");
        expect(b.results).toEqual(a.results);
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it("are cut at pieces of the operands too", () => {
    // 256 heads are 1.3 MB.
    const one = makeCase({ B: 64, T: 17, S: 19, H: 4, Hkv: 2, D: 16, Dv: 16 }, { causal: "topLeft" }, 3);
    const [a, b] = [run(oneByOne, one), run(together, one)];
    expect(b.used).toEqual([
      "attentionHeads",
      "attentionHeadsBackward",
      "attentionWeightKeys",
      "attentionWeights",
    ]);
    expect(b.results).toEqual(a.results);
  });

  it("are those that one thread can hold: longer ones are shared among threads", () => {
    const used = (T: number, heads: number, threads: number) => {
      const one = makeCase({ B: 1, T, S: T, H: heads, Hkv: heads, D: 2, Dv: 2 }, {}, 3);
      return run(new AttentionEngine(listening(threads, 0)), one).used.includes("attentionHeads");
    };
    expect([used(383, 1, 1), used(384, 1, 1)]).toEqual([true, false]);
    expect([used(64, 4, 2), used(64, 3, 2), used(64, 9, 2)]).toEqual([true, false, true]);
  });
});
