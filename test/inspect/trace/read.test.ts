import { describe, expect, it } from "vitest";
import { encodeSafetensors, type SafetensorsTensor } from "../../../src/core/safetensors.ts";
import { layerMap, readTrace, type Trace, writeTrace } from "../../../src/inspect/index.ts";
import { fullTrace, randomNumbers } from "../support.ts";

/** What a trace holds, without the classes. */
const plain = (trace: Trace) =>
  JSON.parse(JSON.stringify(trace, (_, x) => (ArrayBuffer.isView(x) ? [...(x as Uint8Array)] : x)));

/** A file whose parts may be wrong: a causal layer of one head over three tokens, unless said otherwise. */
function file(
  tensors: Record<string, SafetensorsTensor> = {},
  layer: Record<string, unknown> = {},
  json: Record<string, unknown> = {},
): Uint8Array {
  const attn = f32([1, 3, 3], [1, 0, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.5]);
  const layers = [{ alignQ: "src", alignK: "src", maskSpec: { right: 0 }, ...layer }];
  const trace = { version: 1, tokens: { src: ["a", "b", "c"], tgt: ["x", "y"] }, layers, ...json };
  return encodeSafetensors({ "attn.0": attn, ...tensors }, { attn_trace: JSON.stringify(trace) });
}

const f32 = (shape: number[], values: number[]): SafetensorsTensor => ({
  dtype: "F32",
  shape,
  data: Float32Array.from(values),
});

describe("readTrace", () => {
  it("reads back everything that writeTrace wrote, to the bit, and writes the same bytes again", () => {
    const trace = fullTrace();
    const bytes = writeTrace(trace);
    const again = readTrace(bytes);
    expect(plain(again)).toEqual(plain(trace));
    expect(writeTrace(again)).toEqual(bytes);
  });

  it("copies and converts nothing before it is asked for", () => {
    const bytes = writeTrace(fullTrace());
    const { layers, image } = readTrace(bytes);
    for (const tensor of [
      layers[0]!.q!,
      layers[0]!.attn!,
      layers[0]!.vnorm!,
      layers[1]!.attn!,
      layers[1]!.mask!,
    ])
      expect(tensor.data.buffer).toBe(bytes.buffer);
    expect(image!.buffer).toBe(bytes.buffer);
    expect(layers[0]!.q!.slice(3, 6).buffer).toBe(bytes.buffer);
  });

  it("reads from any place in memory, as notebooks hand bytes over", () => {
    const bytes = writeTrace(fullTrace());
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(plain(readTrace(moved.subarray(3)))).toEqual(plain(readTrace(bytes)));
  });

  it("takes the exact map of q, k and lse rather than bytes, and the stored one where that is exact", () => {
    const { layers } = readTrace(writeTrace(fullTrace()));
    expect(layers.map((layer) => layerMap(layer).source)).toEqual(["qk", "dense"]);
    expect(layerMap(layers[0]!, "attn").source).toBe("dense");
  });

  it("passes over tensors and fields that it does not know", () => {
    const trace = readTrace(file({ "logits.0": f32([2], [1, 2]) }, { color: "red" }, { author: "me" }));
    expect(trace.layers[0]!.H).toBe(1);
  });

  it("looks at no value where that is not wanted", () => {
    const wrong = file({ "attn.0": f32([1, 3, 3], new Array(9).fill(7)) });
    expect(() => readTrace(wrong)).toThrow();
    expect(readTrace(wrong, { values: false }).layers[0]!.T).toBe(3);
  });

  const half = (() => {
    const bytes = file();
    return bytes.subarray(0, bytes.length - 12);
  })();
  const noMeta = encodeSafetensors({ "attn.0": f32([1], [1]) });
  const nan = [1, 0, 0, 0.5, Number.NaN, 0, 0.25, 0.25, 0.5];
  it.each<[string, Uint8Array, RegExp]>([
    [
      "a file cut off half-way",
      half,
      /the file must have the \d+ bytes that its header promises, got \d+: it is cut off; copy or download/,
    ],
    ["a file cut off in its header", file().subarray(0, 60), /promises, got 60: it is cut off/],
    [
      "bytes of another kind",
      new TextEncoder().encode("hello, world"),
      /the file must be safetensors, where the header must fit in 4 bytes/,
    ],
    ["an empty file", new Uint8Array(), /must be safetensors, where a file must begin with the 8 bytes/],
    [
      "weights of a model",
      noMeta,
      /the file must have __metadata__\.attn_trace, got none, so it is no trace; write \{"version": 1/,
    ],
    [
      "another version",
      file({}, {}, { version: 2 }),
      /version in __metadata__\.attn_trace must be 1, got 2; read it with the heed that wrote it/,
    ],
    ["no tokens", file({}, {}, { tokens: null }), /tokens in .* must map names to lists of tokens, got null/],
    [
      "tokens that are ids",
      file({}, {}, { tokens: { src: [1, 2, 3] } }),
      /tokens\["src"\]\[0\] must be text, got 1; write str\(token\)/,
    ],
    [
      "an axis of no name",
      file({}, { alignK: "sorce" }),
      /alignK of layer 0 must name a list in tokens \("src", "tgt"\), got "sorce"; correct it/,
    ],
    [
      "a wrong shape",
      file({}, { alignQ: "tgt" }),
      /attn\.0 must be \[H, T, S\] = \[1, 2, 3\], got \[1, 3, 3\]; its axes are named by tokens\["tgt"\] \(T=2\) and tokens\["src"\] \(S=3\)/,
    ],
    [
      "a batch",
      file({ "attn.0": f32([1, 1, 3, 3], new Array(9).fill(0)) }),
      /attn\.0 must be \[H, T, S\] with H ≥ 1, got \[1, 1, 3, 3\]; write one example/,
    ],
    [
      "heads that do not divide",
      file({ "q.0": f32([1, 3, 1], [1, 1, 1]), "k.0": f32([2, 3, 1], [1, 1, 1, 1, 1, 1]) }),
      /Hkv of k\.0 must divide H=1, got 2/,
    ],
    [
      "q without k",
      file({ "q.0": f32([1, 3, 1], [1, 1, 1]) }),
      /layer 0 must have k where it has q, got q alone; write k\.0 \[Hkv, S, D\] too/,
    ],
    [
      "a layer without weights",
      file(
        {},
        {},
        {
          layers: [
            { alignQ: "src", alignK: "src" },
            { alignQ: "src", alignK: "src" },
          ],
        },
      ),
      /layer 1 must have its weights, or q, k and lse to recompute them, got neither; write attn\.1/,
    ],
    [
      "a tensor of no layer",
      file({ "attn.3": f32([1], [1]) }),
      /"attn\.3" must belong to one of the 1 layers, got layer 3; add it to layers/,
    ],
    [
      "a stage that there is not",
      file({ "scores.0.rwa": f32([1, 3, 3], nan) }),
      /the stage of scores\.0 must be one that there is, got "rwa"; name it raw, scaled/,
    ],
    [
      "integers as weights",
      file({ "attn.0": { dtype: "I32", shape: [1, 3, 3], data: new Int32Array(9) } }),
      /"attn\.0" must be F32, F16, BF16, F64, U8 or BOOL, got I32; convert it/,
    ],
    [
      "bytes as queries",
      file({
        "q.0": { dtype: "U8", shape: [1, 3, 1], data: new Uint8Array(3) },
        "k.0": f32([1, 3, 1], [1, 1, 1]),
      }),
      /q\.0 must be stored as f32, f64, f16, got u8log; convert it/,
    ],
    [
      "a mask of another kind",
      file({}, { maskSpec: { kind: "causal" } }),
      /maskSpec of layer 0 must have only offset, left, right, queryLength, keyLength, got "kind"; write \{ "right": 0 \} for causal/,
    ],
    [
      "a window that is negative",
      file({}, { maskSpec: { left: -1 } }),
      /left in maskSpec of layer 0 must be an integer ≥ 0, got -1/,
    ],
    [
      "NaN",
      file({ "attn.0": f32([1, 3, 3], nan) }),
      /attn\.0, head 0, query 1, must have finite weights, got NaN for key 1; look for an overflow/,
    ],
    [
      "NaN behind a mask",
      file({ "attn.0": f32([1, 3, 3], [1, Number.NaN, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.5]) }),
      /query 0, must have weight 0 for hidden keys, got NaN for key 1/,
    ],
    [
      "weight for hidden keys",
      file({ "attn.0": f32([1, 3, 3], [0.5, 0.5, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.5]) }),
      /query 0, must have weight 0 for hidden keys, got 0\.5 for key 1; mask before the softmax/,
    ],
    [
      "rows that are no distribution",
      file({ "attn.0": f32([1, 3, 3], [1, 0, 0, 0.5, 0.25, 0, 0.25, 0.25, 0.5]) }),
      /attn\.0, head 0, query 1, must have weights that sum to 1 within 0\.001, got 0\.75; write the weights after the softmax, or say rowSums/,
    ],
    [
      "negative weights",
      file({ "attn.0": f32([1, 3, 3], [1, 0, 0, 1.5, -0.5, 0, 0.25, 0.25, 0.5]) }),
      /query 1, must have no negative weight, got -0\.5 for key 1/,
    ],
    [
      "an infinite gradient",
      file({ "grad.0": f32([1, 3, 3], [0, 0, 0, 0, 0, Infinity, 0, 0, 0]) }),
      /grad\.0 must hold finite numbers, got Infinity at \[0, 1, 2\]/,
    ],
    [
      "glimpses with a gap",
      file({ "glimpse.1": f32([6], [1, 2, 3, 4, 5, 6]) }),
      /glimpse\.0 must be there, got none; number the glimpses from 0/,
    ],
    [
      "a picture of another kind",
      file({ image: { dtype: "U8", shape: [4], data: new TextEncoder().encode("<svg") } }),
      /the image must be a PNG, got 4 bytes of another kind; save it as one/,
    ],
    [
      "a grid that fits no axis",
      file({ grid: { dtype: "I32", shape: [4], data: Int32Array.of(7, 7, 16, 1) } }),
      /the grid must have as many cells as an axis has tokens \(height·width \+ cls = 50\), got axes of 3, 2 tokens/,
    ],
    [
      "a grid of two numbers",
      file({ grid: { dtype: "I32", shape: [2], data: Int32Array.of(7, 7) } }),
      /"grid" must be \[height, width, patch, cls\], got \[2\]/,
    ],
    [
      "a grid without cells",
      file({ grid: { dtype: "I32", shape: [4], data: Int32Array.of(0, 7, 16, 1) } }),
      /height of the grid must be an integer ≥ 1, got 0/,
    ],
  ])("refuses %s with one error that says what, where and what to do", (_, bytes, message) => {
    expect(() => readTrace(bytes)).toThrow(
      expect.objectContaining({ name: "DataError", code: "FORMAT", message: expect.stringMatching(message) }),
    );
    expect(() => readTrace(bytes)).toThrow(/^readTrace: .+ must .+, got .+; .+/s);
  });

  it("refuses a path by its own sentence", () => {
    expect(() => readTrace("a.attn" as never)).toThrow(
      expect.objectContaining({
        code: "FORMAT",
        message: 'readTrace: the file must be a Uint8Array, got "a.attn"; read it first',
      }),
    );
  });

  it("sees from q, k and lse alone that scale or mask are wrong", () => {
    const [q, k] = [randomNumbers(6, 1), randomNumbers(6, 2)];
    const lse: number[] = [];
    for (let t = 0; t < 3; t++) {
      const scores = Array.from(
        { length: t + 1 },
        (_, s) => (q[2 * t]! * k[2 * s]! + q[2 * t + 1]! * k[2 * s + 1]!) / 2,
      );
      lse.push(Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)));
    }
    const tensors = {
      "q.0": f32([1, 3, 2], [...q]),
      "k.0": f32([1, 3, 2], [...k]),
      "lse.0": f32([1, 3], lse),
    };
    expect(readTrace(file(tensors, { scale: 0.5 })).layers[0]!.D).toBe(2);
    const place = "the weights from q\\.0, k\\.0 and lse\\.0, head 0, query 2,";
    expect(() => readTrace(file(tensors, { scale: 5 }))).toThrow(
      new RegExp(`${place} must have weights that sum to 1 within 0\\.001, got .+; correct scale`),
    );
    const hidden = { ...tensors, "lse.0": f32([1, 3], [-Infinity, lse[1]!, lse[2]!]) };
    expect(() => readTrace(file(hidden, { scale: 0.5 }))).toThrow(
      /query 0, must have a finite lse where a key is visible/,
    );
  });
});
