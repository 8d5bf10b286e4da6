import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import { type AttentionOptions, attention } from "../../src/kernels/attention.ts";
import { init } from "../../src/kernels/init.ts";
import { type ProbeRequest, type Probes, probe } from "../../src/kernels/probe.ts";
import { referenceProbe } from "../../src/kernels/reference-probe.ts";
import { AttentionEngine } from "../../src/kernels/wasm/attention/engine.ts";
import { cuts } from "../../src/kernels/wasm/attention/probe.ts";
import { cases } from "./arbitrary.ts";
import { floats, holes, makeCase, normal } from "./cases.ts";

const SHAPES: AttentionShapes = { B: 2, H: 6, Hkv: 3, T: 53, S: 101, D: 7, Dv: 5 };

function everything({ T }: AttentionShapes): Required<ProbeRequest> {
  return {
    rows: [T - 1, 0, 0, Math.floor(T / 2)].filter((i) => i >= 0 && i < T),
    tiles: [5, 7],
    blockMax: 5,
    topK: 3,
    ...{ max: true, entropy: true, distance: true, columnMass: true, sinkMass: true },
  };
}

/** Float32 sums run over 48 × 96 elements with 26 roundings at most; entropy stands for w = e^y besides. */
const SUMS = 2 ** -19;
const ENTROPY = 2 ** -22;

/** The first number of two answers that differs by more than it may. */
function firstDifference(
  got: Partial<Probes<Float32Array>>,
  expected: Partial<Probes<Float64Array>>,
): string {
  const numbers = (
    probes: Partial<Probes<Float32Array | Float64Array>>,
  ): Record<string, ArrayLike<number>> => {
    const { rows, tiles, topK, max, blockMax, ...plain } = probes;
    return {
      ...(rows && { rows: rows.weights, index: rows.index }),
      ...(tiles && { tiles: tiles.means, grid: [tiles.rows, tiles.columns] }),
      ...(blockMax && { blockMax: blockMax.weights, blocks: [blockMax.rows, blockMax.columns] }),
      ...(topK && { topWeights: topK.weights, topKeys: topK.indices }),
      ...(max && { most: max.weight, mostKey: max.key }),
      ...plain,
    };
  };
  const [mine, theirs] = [numbers(got), numbers(expected)];
  if (Object.keys(mine).sort().join() !== Object.keys(theirs).sort().join()) return `${Object.keys(mine)}`;
  const slack: Record<string, [relative: number, absolute: number]> = {
    tiles: [SUMS, 0],
    entropy: [SUMS, ENTROPY],
    distance: [SUMS, 0],
    columnMass: [SUMS, 0],
    // e^(sink − lse) of a rounded lse against 1 − Σ w.
    sinkMass: [0, 2 ** -18],
  };
  for (const [name, values] of Object.entries(theirs)) {
    if (mine[name]!.length !== values.length)
      return `${name} has ${mine[name]!.length}, not ${values.length}`;
    const [relative, absolute] = slack[name] ?? [0, 0];
    for (let e = 0; e < values.length; e++) {
      const [x, y] = [mine[name]![e]!, values[e]!];
      if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
      if (Math.abs(x - y) <= relative * Math.abs(y) + absolute) continue;
      return `${name}[${e}] is ${x}, not ${y}`;
    }
  }
  return "";
}

/** Probes by the kernels against the same statistics of the weights by the same kernels. */
function compare(
  sizes: AttentionShapes,
  options: AttentionOptions,
  request = everything(sizes),
  gain = 1,
): string {
  const { program, q, k, v } = makeCase(sizes, options, 7, gain);
  const { weights, saved } = attention(q, k, v, sizes, { ...options, weights: true });
  return firstDifference(probe(saved, request), referenceProbe(program, weights, request));
}

describe("probe", () => {
  beforeAll(async () => void (await init()));

  it("gives a case worked by hand", () => {
    // Scores 0, ln 3, ln 4 and a sink at ln 2: a sum of 10 and weights 0.1, 0.3, 0.4 beside the sink's 0.2. The query
    // stands at key position 1.
    const sizes = { B: 1, H: 1, T: 1, S: 3, D: 1 };
    const k = Float32Array.of(0, Math.log(3), Math.log(4));
    const options = { sink: Math.log(2), queryOffset: 1 };
    const { saved } = attention(Float32Array.of(1), k, k, sizes, options);
    const found = probe(saved, { ...everything({ ...sizes, Hkv: 1, Dv: 1 }), tiles: [1, 2] });
    const round = (x: ArrayLike<number>) => Array.from(x, (y) => Number(y.toFixed(5)));
    expect(round(found.rows.weights)).toEqual([0.1, 0.3, 0.4, 0.1, 0.3, 0.4, 0.1, 0.3, 0.4, 0.1, 0.3, 0.4]);
    expect(found.rows.index).toEqual([0, 0, 0, 0]);
    // Tile 0 holds key ⌊0·3/2⌋ = 0, tile 1 keys 1 and 2.
    expect({ ...found.tiles, means: round(found.tiles.means) }).toEqual({
      rows: 1,
      columns: 2,
      means: [0.1, 0.35],
    });
    expect([found.blockMax.rows, found.blockMax.columns, ...round(found.blockMax.weights)]).toEqual([
      1, 1, 0.4,
    ]);
    expect([...found.topK.indices]).toEqual([2, 1, 0]);
    expect(round(found.topK.weights)).toEqual([0.4, 0.3, 0.1]);
    expect([found.max.key[0], round(found.max.weight)[0]]).toEqual([2, 0.4]);
    // 0.1 ln 10 + 0.3 ln (10/3) + 0.4 ln 2.5 = 0.230259 + 0.361192 + 0.366516
    expect(round(found.entropy)).toEqual([0.95797]);
    expect(round(found.distance)).toEqual([0.5]);
    expect(round(found.columnMass)).toEqual([0.1, 0.3, 0.4]);
    expect(round(found.sinkMass)).toEqual([0.2]);
  });

  it("agrees with the weights on any options, whatever stands where nobody looks", () => {
    const engines = (["relaxed", "plain"] as const).map((build) => ({
      build,
      engine: new AttentionEngine(build),
    }));
    fc.assert(
      fc.property(cases, ([s, options, seed, gain]) => {
        const { program, q, k, v } = makeCase(s, options, seed, gain);
        const request = everything(s);
        const [rows, columns] = [cuts(s.T, Math.min(5, s.T)), cuts(s.S, Math.min(7, s.S))];
        const plan = {
          ...{ rows: request.rows, topCount: 3, tiles: { rows, columns }, blockSide: 5 },
          ...{ entropy: true, distance: true, columnMass: true },
        };
        for (const { build, engine } of engines) {
          const forward = engine.forward(program, { q, k, v });
          const weights = engine.weights(program, { q, k }, forward);
          const found = engine.probe(program, { q, k }, forward, plan);
          const { tiles, topK, blockMax, ...expected } = referenceProbe(program, weights, {
            ...{ rows: request.rows, tiles: request.tiles, topK: 3, blockMax: 5 },
            ...{ entropy: true, distance: true, columnMass: true },
          });
          const cells = (e: number) => {
            const [r, c] = [Math.floor(e / tiles.columns) % tiles.rows, e % tiles.columns];
            return (rows[r + 1]! - rows[r]!) * (columns[c + 1]! - columns[c]!);
          };
          const { topKeys, topWeights, entropy, distance } = found;
          const got: Partial<Probes<Float32Array>> = {
            rows: { index: request.rows, weights: found.rows },
            tiles: { ...tiles, means: Float32Array.from(found.tiles, (sum, e) => sum / cells(e)) },
            topK: { indices: topKeys, weights: topWeights },
            blockMax: { ...blockMax, weights: found.blocks },
            ...{ entropy, distance, columnMass: Float32Array.from(found.columnMass) },
          };
          const difference = firstDifference(got, { ...expected, tiles, topK, blockMax });
          expect(difference && `${build}: ${difference}`).toBe("");
        }
      }),
      { seed: 20261125, numRuns: 150 },
    );
  });

  const options: [string, AttentionOptions][] = [
    ["nothing", {}],
    ["causality", { causal: "bottomRight" }],
    ["a window", { window: { left: 20, right: 3 }, queryOffset: 40 }],
    ["a window far to the left", { window: { left: 5, right: 0 }, queryOffset: -50 }],
    ["lengths, one of them 0", { keyLengths: [0, 50], queryLengths: [53, 31] }],
    ["lengths and a sink", { keyLengths: [0, 50], queryLengths: [53, 31], sink: 1.5 }],
    ["dropout, before which weights are taken", { dropout: { rate: 0.5, seed: 3 }, training: true }],
    ["an empty row", { allow: holes(3, [53, 101], true) }],
    ["an empty row and a sink of each head", { allow: holes(3, [53, 101], true), sink: floats(8, [6]) }],
    [
      "uniform empty rows",
      { allow: holes(3, [53, 101], true), onEmptyRow: "uniform", keyLengths: [101, 2], queryOffset: 4 },
    ],
    ["uniform empty rows, a sink and no keys", { onEmptyRow: "uniform", keyLengths: [101, 0], sink: 0 }],
    ["a bias that hides", { bias: hiding(floats(4, [2, 6, 53, 101])) }],
    ["equal scores", { scale: 0 }],
    ["a sink that leaves the keys nothing", { sink: 300 }],
  ];
  it.each(options)("agrees with the weights with %s", (_, given) => {
    expect(compare(SHAPES, given)).toBe("");
  });

  it.each([
    ["layout bthd", SHAPES, "bthd", {}],
    ["packed sequences", { ...SHAPES, T: 48, S: 70 }, "thd", { queryLengths: [31, 17], keyLengths: [9, 61] }],
  ] as const)("has the shapes and numbers of the weights in %s", (_, sizes, layout, lengths) => {
    const { B, H, Hkv, T, S, D, Dv } = sizes;
    const n = layout === "thd" ? 1 : B;
    const [q, k, v] = [normal(1, n * H * T * D), normal(2, n * Hkv * S * D), normal(3, n * Hkv * S * Dv)];
    const given = { ...lengths, layout, sink: 0.5, causal: "bottomRight" } as const;
    const { weights, saved } = attention(q, k, v, sizes, { ...given, weights: true });
    const request = everything(saved.program.shapes);
    const found = probe(saved, request);
    expect(firstDifference(found, referenceProbe(saved.program, weights, request))).toBe("");
    const doubles = [q, k, v].map((x) => Float64Array.from(x)) as [Float64Array, Float64Array, Float64Array];
    const oracle = probe(attention(...doubles, sizes, given).saved, request);
    expect(oracle.entropy.length).toBe(B * H * saved.program.shapes.T);
    for (const [e, x] of oracle.entropy.entries()) expect(Math.abs(found.entropy[e]! - x)).toBeLessThan(1e-5);
    for (const [e, x] of oracle.sinkMass.entries())
      expect(Math.abs(found.sinkMass[e]! - x)).toBeLessThan(1e-6);
    expect(found.max.key).toEqual(oracle.max.key);
  });

  it.each([
    [0, 5],
    [5, 0],
    [1, 1],
    [2, 997],
    [499, 3],
    [97, 96],
  ])("agrees with the weights at T = %i and S = %i", (T, S) => {
    expect(compare({ ...SHAPES, T, S }, {})).toBe("");
  });

  it("sums over many stripes", () => {
    const sizes = { B: 1, H: 1, Hkv: 1, T: 211, S: 2003, D: 3, Dv: 1 };
    // So many tiles leave a stripe 96 queries, and a bias of so many columns 144.
    expect(compare(sizes, {}, { ...everything(sizes), tiles: [5, 2003] }, 6)).toBe("");
    expect(compare(sizes, { bias: floats(4, [211, 2003]), causal: "topLeft" })).toBe("");
    expect(
      compare(
        sizes,
        { window: { left: 501, right: 96 }, queryOffset: 1499 },
        { ...everything(sizes), tiles: [211, 1009] },
      ),
    ).toBe("");
  });

  it("answers what is asked, and nothing else, the same bits alone as together", () => {
    const { q, k, v } = makeCase(SHAPES, {}, 3);
    const { saved } = attention(q, k, v, SHAPES, { causal: "bottomRight", sink: 1 });
    const request = everything(SHAPES);
    const together = probe(saved, request);
    expect(Object.keys(together).sort()).toEqual(Object.keys(request).sort());
    for (const name of Object.keys(request) as (keyof ProbeRequest)[]) {
      const alone = probe(saved, { [name]: request[name] } as ProbeRequest);
      expect(alone).toEqual({ [name]: together[name] });
    }
    expect(probe(saved, {})).toEqual({});
    // @ts-expect-error: nobody asked for the entropy.
    expect(probe(saved, { max: true }).entropy).toBe(undefined);
  });

  it("lists every key where k is larger than S, and ties by the lowest key", () => {
    const sizes = { B: 1, H: 1, T: 2, S: 5, D: 1 };
    const k = Float32Array.of(1, 2, 2, 0, 1);
    const allow: HostArray = { shape: [1, 5], dtype: "bool", values: [1, 1, 1, 0, 1] };
    const { saved } = attention(Float32Array.of(1, 1), k, k, sizes, { allow });
    const { topK } = probe(saved, { topK: 7 });
    expect([...topK.indices]).toEqual([1, 2, 0, 4, -1, -1, -1, 1, 2, 0, 4, -1, -1, -1]);
    expect([...topK.weights.subarray(4, 7)]).toEqual([0, 0, 0]);
    expect([...probe(saved, { max: true }).max.key]).toEqual([1, 1]);
  });

  it("rising scores, where every key enters the list, end in the last keys", () => {
    const S = 1009;
    const rising = Float32Array.from({ length: S }, (_, j) => j / 50);
    const { saved } = attention(Float32Array.of(1), rising, rising, { B: 1, H: 1, T: 1, S, D: 1 });
    expect([...probe(saved, { topK: 4 }).topK.indices]).toEqual([1008, 1007, 1006, 1005]);
  });

  it("of a row with a visible NaN it knows nothing, and says so", () => {
    const sizes = { B: 1, H: 1, T: 2, S: 3, D: 1 };
    const k = Float32Array.of(1, 2, 3);
    const { saved } = attention(Float32Array.of(Number.NaN, 1), k, k, sizes);
    const { max, topK, entropy } = probe(saved, { max: true, topK: 2, entropy: true });
    expect([...max.weight.map(Number), ...max.key]).toEqual([Number.NaN, expect.closeTo(0.665, 3), -1, 2]);
    expect([...topK.indices]).toEqual([-1, -1, 2, 1]);
    expect([Number.isNaN(entropy[0]), Number.isNaN(entropy[1])]).toEqual([true, false]);
  });

  it("entropy and sink mass give the entropies with the sink and among the keys alone", () => {
    const { q, k, v } = makeCase(SHAPES, {}, 3);
    const { saved } = attention(q, k, v, SHAPES, { sink: 2 });
    const found = probe(saved, { entropy: true, sinkMass: true, distance: true });
    const { weights } = attention(q, k, v, SHAPES, { weights: true });
    const alone = referenceProbe(saved.program, weights, { entropy: true, distance: true });
    for (const [e, m] of found.sinkMass.entries()) {
      expect(found.entropy[e]! / (1 - m) + Math.log(1 - m)).toBeCloseTo(alone.entropy[e]!, 4);
      expect(found.distance[e]! / (1 - m)).toBeCloseTo(alone.distance[e]!, 3);
    }
  });

  it("column mass, tiles and rows tell the same story", () => {
    const { q, k, v } = makeCase(SHAPES, {}, 3);
    const { saved } = attention(q, k, v, SHAPES);
    const { T, S, B, H } = SHAPES;
    const { columnMass, tiles, entropy } = probe(saved, { columnMass: true, tiles: [T, S], entropy: true });
    const rows = probe(saved, { rows: Array.from({ length: T }, (_, i) => i) }).rows.weights;
    // A tile of one weight is that weight.
    expect(tiles.means).toEqual(rows);
    for (let head = 0; head < B * H; head++) {
      expect(columnMass.subarray(head * S, (head + 1) * S).reduce((a, b) => a + b)).toBeCloseTo(T, 3);
    }
    expect(Math.max(...entropy)).toBeLessThan(Math.log(S));
  });

  it("float64 arrays are answered by the oracle, in float64", () => {
    const { program, q, k, v } = makeCase(SHAPES, {}, 3);
    const doubles = [q, k, v].map((x) => Float64Array.from(x)) as [Float64Array, Float64Array, Float64Array];
    const { saved, weights } = attention(...doubles, SHAPES, { weights: true });
    const found = probe(saved, everything(SHAPES));
    expect(found).toEqual(referenceProbe(program, weights, everything(SHAPES)));
    expect(found.entropy).toBeInstanceOf(Float64Array);
  });
});

/** Every fifth number of a bias −∞. */
function hiding(bias: HostArray & { values: Float32Array }): HostArray {
  return { ...bias, values: bias.values.map((x, e) => (e % 5 === 0 ? -Infinity : x)) };
}
