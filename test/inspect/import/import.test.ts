import { readFileSync } from "node:fs";
import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { readNpy } from "../../../src/inspect/import/npy.ts";
import {
  fromArrays,
  fromBertViz,
  fromCsv,
  fromNpz,
  importTrace,
  layerMap,
  MASKED,
  type Trace,
  VALUE,
  writeTrace,
} from "../../../src/inspect/index.ts";
import { fullTrace } from "../support.ts";

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/inspect/${name}.npz`, import.meta.url)));
const values = (trace: Trace, l = 0) => [...trace.layers[l]!.attn!.slice()];
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const half = [
  [0.5, 0.5],
  [0.25, 0.75],
];

describe("importTrace", () => {
  it.each<[string, Uint8Array, number[]]>([
    ["a trace", writeTrace(fullTrace()), [4, 5, 5]],
    ["an archive of numpy", fixture("translation"), [4, 2, 3]],
    ["nested lists", json([half, half, half]), [3, 2, 2]],
    [
      "what BertViz writes",
      json({ attention: [{ attn: [[half]], left_text: ["a", "b"], right_text: ["a", "b"] }] }),
      [1, 2, 2],
    ],
    ["a table", new TextEncoder().encode("0.5,0.5\n0.25,0.75"), [1, 2, 2]],
  ])("knows %s by its contents", (_, bytes, shape) => {
    expect(importTrace(bytes, "misnamed.png").layers[0]!.attn!.shape).toEqual(shape);
  });

  it("names a trace after its file unless it has a name", () => {
    expect(importTrace(json(half), "weights.json").name).toBe("weights.json");
    expect(importTrace(writeTrace(fullTrace()), "x.attn").name).toBe("a full one");
  });

  it.each<[string, Uint8Array, string]>([
    [
      "an empty file",
      new Uint8Array(),
      "importTrace: the file must have contents, got 0 bytes; copy or save it again",
    ],
    [
      "a picture",
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff, 0xff),
      "importTrace: the file must be a trace, .npz, .npy, JSON or CSV, got bytes of another kind",
    ],
    [
      "JSON cut off",
      new TextEncoder().encode('{"attention": [[1,'),
      "importTrace: the file must be whole JSON, got ",
    ],
    [
      "JSON of something else",
      json({ name: "heed", version: 1 }),
      'importTrace: the JSON must have attn or attention or attentions or weights, got "name", "version"; save {"attention"',
    ],
    [
      "an archive cut off",
      fixture("translation").slice(0, 500),
      "importTrace: the archive must be a whole .npz, got invalid zip data; copy the file again",
    ],
    [
      "Python objects",
      fixture("objects"),
      'importTrace: "attention.npy" must be of type f8, f4, f2, i8, i4, i2, i1, u1, b1 or text, got Python objects, which heed does not unpickle; save numpy arrays of numbers',
    ],
    [
      "text",
      new TextEncoder().encode("hello world"),
      "importTrace: the table must have a row of numbers, got none",
    ],
  ])("refuses %s with one error that says what, where and what to do", (_, bytes, message) => {
    expect(() => importTrace(bytes)).toThrow(
      expect.objectContaining({
        name: "DataError",
        code: "FORMAT",
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe("BertViz's JSON", () => {
  const layers = [
    [half, half],
    [half, half],
    [half, half],
  ];

  it("gives each set of layers its name and its tokens", () => {
    const wide = [
      [
        [
          [0.5, 0.25, 0.25],
          [0, 0, 1],
        ],
      ],
    ];
    const trace = fromBertViz({
      attention: [
        { name: "Encoder", attn: layers, left_text: ["I", "am"], right_text: ["I", "am"] },
        { name: "Cross", attn: wide, left_text: ["I", "am"], right_text: ["je", "suis", "."] },
      ],
    });
    expect(trace.layers.map(({ name, H }) => [name, H])).toEqual([
      ["Encoder 0", 2],
      ["Encoder 1", 2],
      ["Encoder 2", 2],
      ["Cross", 1],
    ]);
    expect(trace.tokens[trace.layers[3]!.alignK]).toEqual(["je", "suis", "."]);
    expect(trace.tokens[trace.layers[3]!.alignQ]).toEqual(["I", "am"]);
  });

  it("reads the older form, tokens for all, a batch of one, and no tokens at all", () => {
    expect(
      fromBertViz({ all: { attn: layers, left_text: ["a", "b"], right_text: ["c", "d"] } }).layers[2]!.name,
    ).toBe("all 2");
    const simple = fromBertViz({ attention: layers.map((layer) => [layer]), tokens: ["I", "am"] });
    expect(simple.layers).toHaveLength(3);
    expect(simple.layers[0]).toMatchObject({ alignQ: "tokens", alignK: "tokens", H: 2, rowSums: "one" });
    expect(fromBertViz(layers).tokens).toEqual(expect.objectContaining({ "positions 2": ["0", "1"] }));
  });

  it("hides what a mask beside the weights hides", () => {
    const weights = [
      [1, 0],
      [0.5, 0.5],
    ];
    const mask = [
      [1, 0],
      [1, 1],
    ];
    const trace = fromBertViz({ weights, mask, rowTokens: ["a", "b"], columnTokens: ["a", "b"] });
    expect([...layerMap(trace.layers[0]!).rows(0, 0, 2).kinds]).toEqual([VALUE, MASKED, VALUE, VALUE]);
    const open = fromBertViz({
      attention: layers,
      mask: layers.map((layer) =>
        layer.map(() => [
          [1, 1],
          [1, 1],
        ]),
      ),
    });
    expect(open.layers.every((layer) => layer.mask === undefined)).toBe(true);
  });

  it.each<[string, unknown, RegExp]>([
    [
      "a mask of another shape",
      { weights: [[1, 0]], mask: [[1]] },
      /the mask of the weights must be shaped as they are, \[1, 2\], got \[1, 1\]/,
    ],
    [
      "a mask of other numbers",
      { weights: [[1, 0]], mask: [[1, 0.5]] },
      /the mask of the weights must hold 0 and 1 alone, got 0\.5/,
    ],
    [
      "ragged lists",
      [[1, 0], [1]],
      /the weights, 1 deep, must have lists of 2, got a list of 1; save lists of lists/,
    ],
    ["a text among numbers", [[1, "0"]], /the weights must hold numbers alone, got "0"/],
    ["null, which JSON makes of NaN", [[1, null]], /the weights must hold numbers alone, got null/],
    ["an empty list", [[]], /the weights must hold numbers, got an empty list/],
    [
      "lists of one depth",
      [1, 2],
      /the weights must be \[T, S\], \[H, T, S\] or \[layers, H, T, S\], no size 0, got \[2\]/,
    ],
    [
      "a batch of two",
      [[[[[1]]], [[[1]]]]],
      /must be \[layers, B, H, T, S\] with B = 1, got \[1, 2, 1, 1, 1\]/,
    ],
    ["lists too deep", [[[[[[1]]]]]], /the weights must nest at most 5 deep, got more/],
    ["tokens that are ids", { attention: [[1]], tokens: [7] }, /tokens of the weights must hold text, got 7/],
    [
      "tokens of something else",
      { attention: [[1]], tokens: ["a", "b"] },
      /the weights must have one token for each of its 1 keys, got 2/,
    ],
    [
      "lengths that would make much of little",
      [new Array(1000).fill(0), ...new Array(1000).fill([])],
      /1 deep, must have lists of 1000, got a list of 0/,
    ],
  ])("refuses %s", (_, value, message) => {
    expect(() => fromBertViz(value)).toThrow(message);
  });
});

describe("numpy's arrays", () => {
  it("are the same numbers in every type, order and version of the format", () => {
    const archive = fromNpz(fixture("kinds"));
    expect(archive.layers).toHaveLength(7);
    const expected = Array.from({ length: 30 }, (_, n) => n / 8);
    for (const [l, layer] of archive.layers.entries()) {
      expect([layer.H, layer.T, layer.S]).toEqual([2, 3, 5]);
      expect(values(archive, l)).toEqual(expected);
      expect(layer.rowSums).toBe("free");
    }
    expect(archive.layers.map(({ name }) => name)).toEqual([
      "c_big",
      "c_f2",
      "c_f4",
      "c_f8",
      "fortran",
      "version_2",
      "version_3",
    ]);
  });

  it("may be integers where there is nothing else", () => {
    expect(values(fromNpz(fixture("integers")))).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  it("take their tokens from lists of text in the same archive", () => {
    const trace = fromNpz(fixture("translation"));
    expect(trace.layers.map(({ name, H, T, S }) => [name, H, T, S])).toEqual([
      ["cross_attention 0", 4, 2, 3],
      ["cross_attention 1", 4, 2, 3],
    ]);
    expect(trace.tokens[trace.layers[0]!.alignK]).toEqual(["thé", "vert", "🍵"]);
    expect(trace.tokens[trace.layers[0]!.alignQ]).toEqual(["tea", "!"]);
    expect(trace.layers[0]!.rowSums).toBe("one");
  });

  it("may come alone", () => {
    expect(
      importTrace(npy("<f4", [1, 2], new Uint8Array(new Float32Array([1, 0]).buffer))).layers[0]!.T,
    ).toBe(1);
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      "a record",
      npy("[('a', '<f4')]", [1], new Uint8Array(4), true),
      /be of type .* got a record; convert it with astype/,
    ],
    ["complex numbers", npy("<c8", [1], new Uint8Array(8)), /got c8/],
    ["a name that every object has", npy("<constructor8", [1], new Uint8Array(8)), /got a record/],
    [
      "numbers cut off",
      npy("<f4", [2, 3], new Uint8Array(20)),
      /"x" must have the 24 bytes of its shape \[2, 3\], got 20: it is cut off/,
    ],
    [
      "more than memory holds",
      npy("<f8", [1e9, 1e9], new Uint8Array(8)),
      /must have the 8000000000000000000 bytes/,
    ],
    ["text of no width, very often", npy("<U0", [1e9], new Uint8Array(8)), /must have text in it, got none/],
    [
      "a header cut off",
      npy("<f4", [1], new Uint8Array(4)).subarray(0, 30),
      /must have a header of \d+ bytes, got 20: it is cut off/,
    ],
    ["another version", npy("<f4", [1], new Uint8Array(4)).with(6, 9), /must be of format 1, 2 or 3, got 9/],
    ["no Unicode", npy("<U1", [1], new Uint8Array(4).fill(255)), /must hold Unicode, got 0xffffffff/],
  ])("are refused: %s", (_, bytes, message) => {
    expect(() => readNpy('"x"', bytes)).toThrow(message);
  });

  it("are refused where an archive promises more than deflate can make, or holds none", () => {
    const bomb = zipSync({ "a.npy": [new Uint8Array(100_000), { level: 9 }] });
    // The size in the directory, 24 bytes after its mark.
    const directory = new DataView(bomb.buffer, bomb.byteOffset);
    let at = 0;
    while (directory.getUint32(at, true) !== 0x02014b50) at++;
    directory.setUint32(at + 24, 4_000_000_000, true);
    expect(() => fromNpz(bomb)).toThrow(
      /"a\.npy" must unpack to what its bytes can hold, got 4000000000 of \d+/,
    );
    expect(() => fromNpz(zipSync({ "readme.txt": strToU8("hello") }))).toThrow(
      /the file must hold an array of numbers with two to five axes, got no array; save attention weights/,
    );
  });
});

describe("tables", () => {
  const table = (text: string) => {
    const trace = fromCsv(text);
    const { alignQ, alignK, attn } = trace.layers[0]!;
    return {
      queries: trace.tokens[alignQ],
      keys: trace.tokens[alignK],
      shape: attn!.shape,
      values: values(trace),
    };
  };
  const both = {
    queries: ["j'", "aime"],
    keys: ["I", "love", "tea"],
    shape: [1, 2, 3],
    values: [1, 0, 0, 0.25, 0.5, 0.25],
  };
  const numbers = "1,0,0\n0.25,0.5,0.25";

  it.each([
    ["tokens on both sides", ",I,love,tea\nj',1,0,0\naime,.25,5e-1,0.25\n"],
    ["semicolons and other line ends", ";I;love;tea\r\nj';1;0;0\r\naime;0.25;0.5;0.25"],
    ["tabs and a byte order mark", "\ufeff\tI\tlove\ttea\nj'\t1\t0\t0\naime\t0.25\t0.5\t0.25\n\n"],
    ["quotes", '"","I","love","tea"\n"j\'",1,0,0\n"aime","0.25",0.5,0.25\n'],
    ["a head without corner, as R writes it", "I,love,tea\nj',1,0,0\naime,0.25,0.5,0.25"],
    ["a corner that says what is what", "query/key,I,love,tea\nj',1,0,0\naime,0.25,0.5,0.25"],
  ])("are read with %s", (_, text) => {
    expect(table(text)).toEqual(both);
  });

  it("are read with tokens on one side or none, and numbers as tokens below an empty corner", () => {
    expect(table(numbers)).toEqual({ ...both, queries: ["0", "1"], keys: ["0", "1", "2"] });
    expect(table(`I,love,tea\n${numbers}`).keys).toEqual(both.keys);
    expect(table("j',1,0,0\naime,0.25,0.5,0.25").queries).toEqual(both.queries);
    expect(table(",1984,7\n1984,1,0\n7,0,1").keys).toEqual(["1984", "7"]);
    expect(table('"a ""b"", c",x\n1,0').keys).toEqual(['a "b", c', "x"]);
  });

  it("say what their rows add up to, as pictures take any numbers", () => {
    const kind = (text: string) => fromCsv(text).layers[0]!.rowSums;
    expect(["1,0", "0.5,0.25", "0.9,0.8", "-1,2"].map(kind)).toEqual(["one", "atMostOne", "free", "free"]);
  });

  it.each([
    [
      "a word among numbers",
      "1,0\n0,x",
      'importTrace: row 1, column 1 must be a number, got "x"; save one row of numbers for each query',
    ],
    ["an empty cell", "1,0\n0,", 'row 1, column 1 must be a number, got ""'],
    ["an empty cell in the first column", "1,0\n,1", 'row 1, column 0 must be a number, got ""'],
    ["a short row", "1,0\n0", "row 1 must have 2 cells, like the first, got 1"],
    [
      "NaN",
      "1,0\nnan,1",
      "the weights must hold finite numbers, got NaN in row 1, column 0; look for a row without visible keys",
    ],
    ["a quote that stays open", '"a,b\n1,0', "the table must close every quote, got one that stays open"],
    ["nothing but line ends", "\n\n", "the table must have a row, got none"],
  ])("are refused with %s", (_, text, message) => {
    expect(() => fromCsv(text)).toThrow(message);
  });
});

describe("plain arrays", () => {
  it("make a trace, with typed arrays innermost too", () => {
    const trace = fromArrays([[Float32Array.of(0.9, 0.1), Float32Array.of(0.2, 0.8)]], {
      name: "mine",
      queries: ["J'", "aime"],
      keys: ["I", "love"],
    });
    expect(trace).toMatchObject({ name: "mine", tokens: { queries: ["J'", "aime"], keys: ["I", "love"] } });
    expect(fromArrays(half, { tokens: ["a", "b"] }).layers[0]).toMatchObject({
      alignQ: "tokens",
      alignK: "tokens",
    });
  });
});

/** An array of numpy's format 1, its header as wanted. */
function npy(descr: string, shape: number[], data: Uint8Array, literal = false): Uint8Array {
  const text = `{'descr': ${literal ? descr : `'${descr}'`}, 'fortran_order': False, 'shape': (${shape.join(", ")},), }\n`;
  const header = new TextEncoder().encode(text);
  const bytes = new Uint8Array(10 + header.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(header, 10);
  bytes.set(data, 10 + header.length);
  return bytes;
}
