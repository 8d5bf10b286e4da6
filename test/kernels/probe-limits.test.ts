/** What probes cost, in memory and time and on threads, and what they refuse. */
import { beforeAll, describe, expect, it } from "vitest";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import { compileProgram } from "../../src/core/program.ts";
import { attention, type SavedAttention } from "../../src/kernels/attention.ts";
import { init } from "../../src/kernels/init.ts";
import { type ProbeRequest, probe } from "../../src/kernels/probe.ts";
import { AttentionEngine } from "../../src/kernels/wasm/attention/engine.ts";
import { cuts } from "../../src/kernels/wasm/attention/probe.ts";
import { type KernelSpace, SerialSpace } from "../../src/kernels/wasm/space.ts";
import { makeCase, normal } from "./cases.ts";

const SHAPES: AttentionShapes = { B: 2, H: 6, Hkv: 3, T: 53, S: 101, D: 7, Dv: 5 };

describe("probe", () => {
  beforeAll(async () => void (await init()));

  it("gives the same bits on many threads, whichever is first", () => {
    const sizes = { ...SHAPES, T: 331, S: 211 };
    const { program, q, k, v } = makeCase(sizes, { causal: "topLeft", keyLengths: [211, 160] }, 3);
    const [one, many] = [SerialSpace.create("relaxed"), SerialSpace.create("relaxed")];
    const unordered: KernelSpace = {
      ...{ memory: many.memory, kernels: many.kernels, threads: 3, leastFlops: 0 },
      run: (kernel, calls, flops, scratch) => many.run(kernel, calls.toReversed(), flops, scratch),
    };
    const plan = {
      ...{ rows: [7, 330], topCount: 5, entropy: true, distance: true, columnMass: true },
      tiles: { rows: cuts(331, 19), columns: cuts(211, 29) },
      blockSide: 17,
    };
    const [serial, shared] = [one, unordered].map((space) => {
      const engine = new AttentionEngine(space);
      return engine.probe(program, { q, k }, engine.forward(program, { q, k, v }), plan);
    });
    expect(shared).toEqual(serial);
  });

  it("a head of 16,384 × 16,384 is probed in a hundredth of the memory of its weights", () => {
    const T = 16_384;
    const sizes = { B: 1, H: 1, Hkv: 1, T, S: T, D: 8, Dv: 8 };
    const program = compileProgram<HostArray>("probe", sizes);
    const engine = new AttentionEngine("relaxed");
    // Queries of 0 weigh all keys alike, so their log-sum-exp is known.
    const inputs = { q: new Float32Array(T * 8), k: normal(10, T * 8) };
    const forward = {
      lse: new Float32Array(T).fill(Math.log(T)),
      lseLow: new Float32Array(T),
      emptyRows: [],
    };
    const found = engine.probe(program, inputs, forward, {
      ...{ rows: [0, T - 1], topCount: 8, entropy: true, distance: true, columnMass: true },
      tiles: { rows: cuts(T, 64), columns: cuts(T, 64) },
      blockSide: 82,
    });
    // q, k and packed k are 0.5 MiB each, the statistics of a stripe 1 MiB; the weights would be 1024 MiB.
    expect(engine.memory.buffer.byteLength).toBeLessThan(4 * 2 ** 20);
    expect(found.entropy[T - 1]).toBeCloseTo(Math.log(T), 4);
    for (const mass of [found.columnMass[0], found.columnMass[T - 1]]) expect(mass).toBeCloseTo(1, 5);
    expect([...found.topKeys.subarray(8 * (T - 1))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("the largest weights and the entropy cost less than twice the forward pass", () => {
    const T = 2048;
    const [q, k] = [normal(1, T * 64), normal(2, T * 64)];
    const cpu = (run: () => unknown) => {
      const used = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(used);
      return user + system;
    };
    let [forward, probes] = [Infinity, Infinity];
    for (let n = 0; n < 5; n++) {
      let saved!: SavedAttention<Float32Array>;
      const attend = () => {
        ({ saved } = attention(q, k, k, { B: 1, H: 1, T, S: T, D: 64 }));
      };
      forward = Math.min(forward, cpu(attend));
      probes = Math.min(
        probes,
        cpu(() => probe(saved, { entropy: true, max: true, topK: 8 })),
      );
    }
    expect(probes / forward).toBeLessThan(2);
  });

  it("rows alone cost rows alone", () => {
    const T = 4096;
    const [q, k] = [normal(1, T * 64), normal(2, T * 64)];
    const { saved } = attention(q, k, k, { B: 1, H: 1, T, S: T, D: 64 });
    const time = (request: ProbeRequest) => {
      let best = Infinity;
      for (let n = 0; n < 5; n++) {
        const begin = performance.now();
        probe(saved, request);
        best = Math.min(best, performance.now() - begin);
      }
      return best;
    };
    expect(time({ rows: [7] })).toBeLessThan(time({ max: true }) / 4);
  });

  it.each<[string, ProbeRequest, string]>([
    [
      "a row out of range",
      { rows: [0, 53] },
      "probe: rows[1] must be a query, an integer from 0 and below T=53, got 53; choose one in that range or leave it out",
    ],
    [
      "a row between two",
      { rows: [0.5] },
      "probe: rows[0] must be a query, an integer from 0 and below T=53, got 0.5; choose one in that range or leave it out",
    ],
    [
      "no largest weights",
      { topK: 0 },
      "probe: topK must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      "tiles of nothing",
      { tiles: [4, 0] },
      "probe: tiles must be [rows, columns], two integers ≥ 1, got [4, 0]; choose one in that range or leave it out",
    ],
    [
      "blocks of half a key",
      { blockMax: 0.5 },
      "probe: blockMax must be an integer ≥ 1, got 0.5; choose one in that range or leave it out",
    ],
    [
      "tiles of one side",
      { tiles: [4] as unknown as [number, number] },
      "probe: tiles must be [rows, columns], two integers ≥ 1, got [4]; choose one in that range or leave it out",
    ],
    [
      "what it does not know",
      { entropy: true, topk: 3 } as ProbeRequest,
      "probe: what is asked for must be rows or tiles or blockMax or topK or max or entropy or distance or columnMass or sinkMass, got topk; choose one of them",
    ],
  ])("refuses %s", (_, request, message) => {
    const { q, k, v } = makeCase(SHAPES, {}, 3);
    for (const arrays of [[q, k, v], [q, k, v].map((x) => Float64Array.from(x))] as [
      Float32Array,
      Float32Array,
      Float32Array,
    ][]) {
      const { saved } = attention(...arrays, SHAPES);
      expect(() => probe(saved, request)).toThrow(message);
    }
  });

  it("refuses distances that float32 cannot count, and arrays that are gone", () => {
    const sizes = { B: 1, H: 1, T: 1, S: 2, D: 1 };
    const [q, k] = [Float32Array.of(1), Float32Array.of(1, 2)];
    const { saved } = attention(q, k, k, sizes, { queryOffset: 2 ** 25 });
    expect(() => probe(saved, { distance: true })).toThrow(
      "probe: queryOffset must be within ±2²⁴ where distance is asked for, got 33554432; choose one in that range or leave it out",
    );
    structuredClone(k, { transfer: [k.buffer as ArrayBuffer] });
    expect(() => probe(saved, { max: true })).toThrow(
      "probe: k must hold B·Hkv·S·D = 2 numbers, got 0; pass the whole array, row-major and not detached",
    );
  });
});
