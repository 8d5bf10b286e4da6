import { describe, expect, it } from "vitest";
import {
  createTrace,
  fromArrays,
  fromBertViz,
  fromCsv,
  importTrace,
  layerMap,
  MASKED,
  softmaxWeights,
  traceTensor,
  writeTrace,
} from "../../../src/inspect/index.ts";

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
/** Scores whose softmax is 1/4, 3/4 and 1/2, 1/2. */
const SCORES = [
  [-5, -5 + Math.log(3)],
  [7, 7],
];
const WEIGHTS = [0.25, 0.75, 0.5, 0.5];
const close = (values: Iterable<number>) => {
  for (const [e, value] of [...values].entries()) expect(value).toBeCloseTo(WEIGHTS[e]!, 6);
};

describe("imported rows that are no shares", () => {
  it("are said on the trace, in one sentence a set of layers, with what was found and what to do", () => {
    const { layers, warnings } = importTrace(
      json({
        attention: [
          [
            [
              [2, -1, 5],
              [1, 0, 0],
            ],
          ],
        ],
      }),
    );
    expect(layers[0]!.rowSums).toBe("free");
    expect(warnings).toEqual([
      "importTrace: the rows of the weights must sum to 1 within 0.001, got sums from 1 to 6 and a weight of -1; read " +
        "them with softmax (--softmax) if they are scores before it, else take no colour for a share",
    ]);
  });

  it("are named by their set, and rows of shares and empty rows are not", () => {
    const shares = [
      [
        [
          [0.5, 0.5],
          [0, 0],
        ],
      ],
    ];
    const part = [
      [
        [
          [0.5, 0.25],
          [0.5, 0.5],
        ],
      ],
    ];
    const { warnings } = fromBertViz({
      attention: [
        { name: "a", attn: shares },
        { name: "b", attn: part },
      ],
    });
    expect(warnings).toHaveLength(1);
    expect(warnings![0]).toContain('the rows of "b" must sum to 1 within 0.001, got sums from 0.75 to 1;');
    expect(fromArrays([[1]]).warnings).toBeUndefined();
  });
});

describe("softmax", () => {
  it("turns scores into weights in every importer, and then there is nothing to say", () => {
    const table = SCORES.map((row) => row.join(",")).join("\n");
    for (const trace of [
      fromArrays(SCORES, { softmax: true }),
      fromBertViz([SCORES], { softmax: true }),
      fromCsv(table, { softmax: true }),
      importTrace(json(SCORES), "x.json", { softmax: true }),
      importTrace(new TextEncoder().encode(table), "x.csv", { softmax: true }),
    ]) {
      const [layer] = trace.layers;
      expect(layer!.rowSums).toBe("one");
      expect(trace.warnings).toBeUndefined();
      close(layer!.attn!.slice());
    }
  });

  it("hides keys with a score of −∞, and keeps scores of 1e30 and of −1e30 finite", () => {
    const trace = fromCsv("0,-inf,1.0986122886681098\n-1e30,1e30,1e30\n-inf,-inf,-inf", { softmax: true });
    const map = layerMap(trace.layers[0]!);
    expect(map.row(0, 0).kinds[1]).toBe(MASKED);
    expect([...map.row(0, 1).values]).toEqual([0, 0.5, 0.5]);
    expect([...map.row(0, 2).kinds]).toEqual([MASKED, MASKED, MASKED]);
    expect(map.row(0, 0).values[2]).toBeCloseTo(0.75, 6);
    expect(() => fromCsv("nan,1", { softmax: true })).toThrow("must hold finite numbers, got NaN in row 0");
  });

  it("leaves out the keys of a mask", () => {
    const weights = [[1, 1, 9]];
    const { layers } = fromBertViz({ weights, mask: [[1, 1, 0]] }, { softmax: true });
    const { values, kinds } = layerMap(layers[0]!).row(0, 0);
    expect([...values]).toEqual([0.5, 0.5, 0]);
    expect(kinds[2]).toBe(MASKED);
  });

  it("takes the scores of a trace, which would be refused as weights, over its visible keys alone", () => {
    const attn = traceTensor([1, 2, 2], [3, 1000, ...SCORES[0]!]);
    const layer = { alignQ: "src", alignK: "src", maskSpec: { right: 0 }, attn, thumb: undefined };
    const tokens = { src: ["a", "b"] };
    const bytes = writeTrace(createTrace({ tokens, layers: [layer] }, { values: false }));
    expect(() => importTrace(bytes)).toThrow("must have weight 0 for hidden keys");
    const trace = importTrace(bytes, "t.attn", { softmax: true });
    expect([...trace.layers[0]!.attn!.slice(0, 2)]).toEqual([1, 0]);
    expect(trace.layers[0]!.attn!.at(3)).toBeCloseTo(0.75, 6);
    expect(trace.layers[0]!.rowSums).toBe("one");
  });

  it("refuses bytes, which hold no scores", () => {
    const attn = traceTensor([1, 1, 2], [0.25, 0.75], "u8log");
    const tokens = { src: ["a", "b"], tgt: ["c"] };
    const trace = createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", attn }] });
    expect(() => softmaxWeights(trace)).toThrow(
      "softmaxWeights: attn.0 must hold scores, f32, f16 or f64, got u8log; leave softmax out, these are weights",
    );
  });
});
