import { describe, expect, it } from "vitest";
import {
  appendStep,
  createTrace,
  layerMap,
  readTrace,
  type Trace,
  traceTensor,
  writeTrace,
} from "../../../src/inspect/index.ts";
import { attend, names } from "../support.ts";

const SIZES = { H: 4, Hkv: 2, D: 3 };
const PROMPT = 3;
const WHOLE = 8;
const encoder = 5;

/** Decoding as one oracle of WHOLE steps; `until` and `from` cut it into a prompt and steps. */
const self = attend({ ...SIZES, T: WHOLE, S: WHOLE }, { maskSpec: { right: 0 }, seed: 21 });
const cross = attend({ ...SIZES, T: WHOLE, S: encoder }, { seed: 23 });

/** Rows [from, to) of [heads, rows, width], cut to `keep` columns. */
function rows(data: Float64Array, heads: number, width: number, from: number, to: number, keep = width) {
  const all = data.length / heads / width;
  const out: number[] = [];
  for (let h = 0; h < heads; h++)
    for (let row = from; row < to; row++) {
      const at = (h * all + row) * width;
      out.push(...data.subarray(at, at + keep));
    }
  return out;
}

const { H, Hkv, D } = SIZES;
const selfPart = (from: number, to: number) => ({
  q: traceTensor([H, to - from, D], rows(self.q, H, D, from, to)),
  k: traceTensor([Hkv, to - from, D], rows(self.k, Hkv, D, from, to)),
  lse: traceTensor([H, to - from], rows(self.lse, H, 1, from, to)),
  attn: traceTensor([H, to - from, to], rows(self.weights, H, WHOLE, from, to, to), "f16"),
  vnorm: traceTensor([Hkv, to - from], rows(self.k, Hkv, D, from, to, 1)),
});
const crossPart = (from: number, to: number) => ({
  attn: traceTensor([H, to - from, encoder], rows(cross.weights, H, encoder, from, to)),
});
const token = names("t", WHOLE);

/** One layer that does not say that it is causal. */
function unmasked(): Trace {
  const layer = { alignQ: "src", alignK: "src", attn: traceTensor([1, 1, 1], [1]) };
  return createTrace({ tokens: { src: ["a"] }, layers: [layer] });
}

function prompt(): Trace {
  const tokens = { tgt: token.slice(0, PROMPT), src: names("s", encoder) };
  const first = { alignQ: "tgt", alignK: "tgt", maskSpec: { right: 0 }, ...selfPart(0, PROMPT) };
  return createTrace({ tokens, layers: [first, { alignQ: "tgt", alignK: "src", ...crossPart(0, PROMPT) }] });
}
const step = (from: number, to: number) => ({
  tokens: { tgt: token.slice(from, to) },
  layers: [selfPart(from, to), crossPart(from, to)],
});

describe("appendStep", () => {
  it("grows to the very file of a trace taken at once, one token or several at a time", () => {
    const whole = createTrace({
      tokens: { tgt: token, src: names("s", encoder) },
      layers: [
        { alignQ: "tgt", alignK: "tgt", maskSpec: { right: 0 }, ...selfPart(0, WHOLE) },
        { alignQ: "tgt", alignK: "src", ...crossPart(0, WHOLE) },
      ],
    });
    for (const cuts of [
      [3, 4, 5, 6, 7, 8],
      [3, 5, 8],
    ]) {
      let trace = prompt();
      for (let n = 1; n < cuts.length; n++) trace = appendStep(trace, step(cuts[n - 1]!, cuts[n]!));
      expect(writeTrace(trace)).toEqual(writeTrace(whole));
      expect(readTrace(writeTrace(trace)).layers[0]!.S).toBe(WHOLE);
    }
  });

  it("leaves the old trace as it was", () => {
    const trace = prompt();
    const before = writeTrace(trace).slice();
    appendStep(trace, step(3, 5));
    expect(writeTrace(trace)).toEqual(before);
    expect(trace.tokens.tgt).toHaveLength(PROMPT);
  });

  it("hides new keys in maps of u8log by itself, and leaves small pictures out", () => {
    const attn = traceTensor([1, 1, 1], [1], "u8log");
    const thumb = traceTensor([1, 1, 1], [1], "u8log");
    const trace = createTrace({
      tokens: { src: ["a"] },
      layers: [{ alignQ: "src", alignK: "src", attn, thumb }],
    });
    const grown = appendStep(trace, {
      tokens: { src: ["b"] },
      layers: [{ attn: traceTensor([1, 1, 2], [0, 1], "u8log") }],
    });
    expect([...layerMap(grown.layers[0]!).rows(0, 0, 2).kinds]).toEqual([0, 1, 0, 0]);
    expect(grown.layers[0]!.thumb).toBeUndefined();
  });

  it("takes an axis for no more than its name", () => {
    const layer = { alignQ: "constructor", alignK: "constructor", attn: traceTensor([1, 1, 1], [1]) };
    const trace = createTrace({ tokens: { constructor: ["a"] } as never, layers: [layer] });
    expect(appendStep(trace, { tokens: {}, layers: [{}] }).layers[0]!.T).toBe(1);
  });

  it("adds glimpses, which need no tokens", () => {
    const grown = appendStep(prompt(), {
      tokens: {},
      layers: [{}, {}],
      glimpses: [traceTensor([6], [1, 2, 3, 4, 5, 6])],
    });
    expect(grown.glimpses).toHaveLength(1);
  });

  it.each<[string, () => Trace, RegExp]>([
    [
      "an axis of no name",
      () => appendStep(prompt(), { tokens: { tgd: ["x"] }, layers: [{}, {}] }),
      /tokens must grow an axis of the trace, got "tgd"/,
    ],
    [
      "a layer too few",
      () => appendStep(prompt(), { tokens: {}, layers: [{}] }),
      /the step must have 2 layers, got 1/,
    ],
    [
      "a mask that shows new keys to old queries",
      () =>
        appendStep(unmasked(), {
          tokens: { src: ["b"] },
          layers: [{ attn: traceTensor([1, 1, 2], [0, 1]) }],
        }),
      /layer 0 must hide new keys from earlier queries, got a mask that shows them; give the layer maskSpec: \{ right: 0, offset: 0 \}/,
    ],
    [
      "a tensor that is missing",
      () =>
        appendStep(prompt(), {
          ...step(3, 4),
          layers: [{ ...selfPart(3, 4), lse: undefined } as object, crossPart(3, 4)],
        }),
      /lse of the step in layer 0 must be \[4, 1\], got none/,
    ],
    [
      "a wrong width",
      () => appendStep(prompt(), { ...step(3, 4), layers: [selfPart(3, 4), selfPart(3, 4)] }),
      /attn of the step in layer 1 must be \[4, 1, 5\], got \[4, 1, 4\]/,
    ],
    [
      "another encoding",
      () =>
        appendStep(prompt(), {
          ...step(3, 4),
          layers: [selfPart(3, 4), { attn: traceTensor([4, 1, 5], new Float64Array(20).fill(0.2), "f16") }],
        }),
      /attn of the step in layer 1 must be stored as f32, like the rest, got f16/,
    ],
  ])("refuses %s", (_, run, message) => {
    expect(run).toThrow(message);
  });

  it("checks the values of the new rows as those of a file; a row of zeros is one that sees nothing", () => {
    const filled = (weight: number) => ({
      ...step(3, 4),
      layers: [selfPart(3, 4), { attn: traceTensor([4, 1, 5], new Float64Array(20).fill(weight)) }],
    });
    expect(appendStep(prompt(), filled(0)).layers[1]!.T).toBe(4);
    expect(() => appendStep(prompt(), filled(0.4))).toThrow(
      /^appendStep: attn\.1, head 0, query 3, must have weights that sum to 1 within 0\.001, got 2;/,
    );
  });

  it("refuses layers that cannot grow", () => {
    const attn = traceTensor([1, 1, 1], [1]);
    const layer = {
      alignQ: "src",
      alignK: "src",
      maskSpec: { right: 0 },
      attn,
      grad: traceTensor([1, 1, 1], [0]),
    };
    const trace = createTrace({ tokens: { src: ["a"] }, layers: [layer] });
    expect(() => appendStep(trace, { tokens: { src: ["b"] }, layers: [{}] })).toThrow(
      "appendStep: layer 0 must grow by attn, q, k, lse, vnorm alone, got a layer with grad; use maskSpec for the mask",
    );
  });
});
