import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from "../../src/core/safetensors.ts";

const TENSORS: Record<string, SafetensorsTensor> = {
  "decoder.weight": { dtype: "F32", shape: [3, 5], data: Float32Array.from({ length: 15 }, (_, i) => i / 7) },
  half: { dtype: "F16", shape: [5], data: new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00]) },
  double: { dtype: "F64", shape: [2, 1], data: new Float64Array([Math.PI, -0]) },
  ids: { dtype: "I64", shape: [2], data: new BigInt64Array([2n ** 53n + 1n, -3n]) },
  lengths: { dtype: "I32", shape: [3], data: new Int32Array([7, -11, 13]) },
  bytes: { dtype: "U8", shape: [3], data: new Uint8Array([0, 127, 255]) },
  keep: { dtype: "BOOL", shape: [5], data: new Uint8Array([1, 0, 1, 1, 0]) },
  scalar: { dtype: "F32", shape: [], data: new Float32Array([2.5]) },
  nothing: { dtype: "F32", shape: [0, 3], data: new Float32Array() },
  "élan 🙂": { dtype: "U8", shape: [1], data: new Uint8Array([42]) },
};
const METADATA = { format: "np" };

/** Every type that the format has. */
const FORMAT_TYPES =
  "C64, U64, I64, F64, F32, U32, I32, BF16, F16, U16, I16, F8_E8M0, F8_E4M3, F8_E5M2, I8, U8, BOOL, F6_E2M3, F6_E3M2, F4";

/** A file of any header and any bytes of data, right or wrong. */
function file(header: string | Uint8Array, dataBytes = 0, headerBytes?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, headerBytes ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

describe("encodeSafetensors", () => {
  it("writes the very bytes of the reference implementation (Python safetensors 0.4.5)", () => {
    const python = readFileSync(new URL("../fixtures/metrics/python.safetensors", import.meta.url));
    expect(Buffer.from(encodeSafetensors(TENSORS, METADATA)).equals(python)).toBe(true);
  });

  it("writes the same bytes whatever the order of names", () => {
    const backwards = Object.fromEntries(Object.entries(TENSORS).reverse());
    expect(encodeSafetensors(backwards, { b: "2", a: "1" })).toEqual(
      encodeSafetensors(TENSORS, { a: "1", b: "2" }),
    );
  });

  it("writes a file without tensors as an empty object", () => {
    expect(new TextDecoder().decode(encodeSafetensors({}).subarray(8))).toBe("{}      ");
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      "a shape that disagrees with its data",
      { w: { dtype: "F32", shape: [2, 3], data: new Float32Array(5) } },
      'encodeSafetensors: shape [2,3] needs 6 values, got 5 for "w"; correct that entry',
    ],
    [
      "an array of another type",
      { w: { dtype: "F16", shape: [2], data: new Float32Array(2) } },
      'encodeSafetensors: F16 data must be a Uint16Array, got Float32Array for "w"; correct that entry',
    ],
    [
      "a length that is no number",
      { w: { dtype: "F32", shape: [Number.NaN], data: new Float32Array(0) } },
      'encodeSafetensors: shape must hold whole numbers from 0, got [NaN] for "w"; correct that entry',
    ],
    [
      "an unknown type",
      { w: { dtype: "F8_E4M3", shape: [0], data: new Uint8Array(0) } },
      'encodeSafetensors: dtype must be one of U64, I64, F64, F32, U32, I32, BF16, F16, U16, I16, I8, U8, BOOL, got F8_E4M3 for "w"; correct that entry',
    ],
    [
      "the name of the metadata",
      { __metadata__: { dtype: "U8", shape: [0], data: new Uint8Array(0) } },
      'encodeSafetensors: a tensor\'s name must not be reserved, got __metadata__ for "__metadata__"; correct that entry',
    ],
    [
      "the name of the prototype",
      Object.fromEntries([["__proto__", { dtype: "U8", shape: [0], data: new Uint8Array(0) }]]),
      'encodeSafetensors: a tensor\'s name must not be reserved, got __proto__ for "__proto__"; correct that entry',
    ],
  ])("refuses %s", (_, tensors, message) => {
    expect(() => encodeSafetensors(tensors as Record<string, SafetensorsTensor>)).toThrow(
      expect.objectContaining({ name: "DataError", code: "FORMAT", message }),
    );
  });

  it("refuses metadata that is not text", () => {
    expect(() => encodeSafetensors({}, { step: 7 } as unknown as Record<string, string>)).toThrow(
      'encodeSafetensors: metadata must be strings under names other than __proto__, got number for "step"; correct that entry',
    );
  });
});

describe("decodeSafetensors", () => {
  it("reads back what was written, of every type, from any byte offset", () => {
    const bytes = encodeSafetensors(TENSORS, METADATA);
    for (let shift = 0; shift < 9; shift++) {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const { tensors, metadata } = decodeSafetensors(moved.subarray(shift));
      expect({ ...tensors }).toEqual(TENSORS);
      expect({ ...metadata }).toEqual(METADATA);
    }
  });

  it("shares the bytes where they are aligned and copies them where not", () => {
    const bytes = encodeSafetensors({ w: { dtype: "F32", shape: [7], data: new Float32Array(7) } });
    expect(decodeSafetensors(bytes).tensors.w!.data.buffer).toBe(bytes.buffer);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    const copy = decodeSafetensors(moved.subarray(1)).tensors.w!.data;
    expect(copy.buffer.byteLength).toBe(28);
  });

  it("reads every type into the array that is nearest to it, and writes it again", () => {
    const data = {
      U64: BigUint64Array.of(2n ** 64n - 1n),
      I64: BigInt64Array.of(-(2n ** 63n)),
      F64: Float64Array.of(Math.PI),
      F32: Float32Array.of(0.5),
      U32: Uint32Array.of(2 ** 32 - 1),
      I32: Int32Array.of(-(2 ** 31)),
      BF16: Uint16Array.of(0x3f80),
      F16: Uint16Array.of(0x3c00),
      U16: Uint16Array.of(65_535),
      I16: Int16Array.of(-32_768),
      I8: Int8Array.of(-128),
      U8: Uint8Array.of(255),
      BOOL: Uint8Array.of(1),
    };
    const tensors = Object.fromEntries(
      Object.entries(data).map(([dtype, values]) => [`a ${dtype}`, { dtype, shape: [1], data: values }]),
    ) as Record<string, SafetensorsTensor>;
    const bytes = encodeSafetensors(tensors);
    expect({ ...decodeSafetensors(bytes).tensors }).toEqual(tensors);
    // In the order of the reference implementation: wide types first, so that every tensor is aligned.
    expect(Object.keys(decodeSafetensors(bytes).tensors)).toEqual(Object.keys(tensors));
  });

  it.each([
    ["F8_E4M3", 4],
    ["F8_E5M2", 4],
    ["F8_E8M0", 4],
    ["F6_E2M3", 3],
    ["F6_E3M2", 3],
    ["F4", 2],
    ["C64", 32],
  ])("names %s, which JavaScript has no array for", (dtype, size) => {
    const bytes = file(`{"a":{"dtype":"${dtype}","shape":[4],"data_offsets":[0,${size}]}}`, size);
    expect(() => decodeSafetensors(bytes)).toThrow(
      expect.objectContaining({
        name: "DataError",
        code: "UNSUPPORTED",
        message: `safetensors: the dtype of "a" must be one of U64, I64, F64, F32, U32, I32, BF16, F16, U16, I16, I8, U8, BOOL, got ${dtype}; convert that tensor to BF16, F16 or F32`,
      }),
    );
  });

  it("counts what a header takes before it is parsed, and refuses more than it may", () => {
    const bytes = encodeSafetensors(TENSORS, METADATA);
    expect(() => decodeSafetensors(bytes, { mostBytes: 1000 })).toThrow(
      expect.objectContaining({
        code: "LIMIT",
        message: expect.stringMatching(
          /^safetensors: the header must take at most 1000 bytes of memory to read, got about \d+; raise mostBytes/,
        ),
      }),
    );
    expect(decodeSafetensors(bytes, { mostBytes: 10_000 }).metadata.format).toBe("np");
  });

  it("finds no tensor under a name that every object has", () => {
    expect(decodeSafetensors(file("{}")).tensors.constructor).toBeUndefined();
  });

  const one = '"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}';
  it.each<[string, Uint8Array, string, string]>([
    [
      "nothing at all",
      new Uint8Array(),
      "a file must begin with the 8 bytes of its header length",
      "0 bytes",
    ],
    [
      "a cut header length",
      new Uint8Array(7),
      "a file must begin with the 8 bytes of its header length",
      "7 bytes",
    ],
    ["a header longer than the file", file("{}", 0, 3n), "the header must fit in 2 bytes", "a length of 3"],
    [
      "a header of 2⁶⁴ − 1 bytes",
      file("{}", 0, 2n ** 64n - 1n),
      "the header must fit in 2 bytes",
      "a length of 18446744073709551615",
    ],
    ["an empty header", file(""), "the header must begin with {", "no header"],
    ["a header that is a list", file("[]"), "the header must begin with {", "byte 91"],
    ["a space before the header", file(" {}"), "the header must begin with {", "byte 32"],
    [
      "one name twice",
      file(`{${one},"b":{"dtype":"U8","shape":[0],"data_offsets":[3,3]},"\\u0061":{}}`, 3),
      "a name must appear once",
      '"a" twice',
    ],
    [
      "one field twice",
      file('{"a":{"dtype":"U8","dtype":"U8"}}'),
      "a name must appear once",
      '"dtype" twice',
    ],
    ["the name __proto__", file('{"__proto__":{}}'), "no name may be __proto__", "one"],
    [
      "the name __proto__ in metadata",
      file('{"__metadata__":{"__proto__":"x"}}'),
      "no name may be __proto__",
      "one",
    ],
    [
      "brackets 50,000 deep",
      file(`{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
      "the header must nest at most 3 brackets",
      "more",
    ],
    [
      "metadata that is not text",
      file('{"__metadata__":{"a":1}}'),
      "__metadata__ must map names to strings",
      '{"a":1}',
    ],
    ["metadata that is a list", file('{"__metadata__":[]}'), "__metadata__ must map names to strings", "[]"],
    ["a tensor that is no object", file('{"a":7}'), '"a" must be an object', "7"],
    [
      "an unknown type",
      file('{"a":{"dtype":"constructor","shape":[],"data_offsets":[0,0]}}'),
      `the dtype of "a" must be one of ${FORMAT_TYPES}`,
      '"constructor"',
    ],
    [
      "no type",
      file('{"a":{"shape":[],"data_offsets":[0,0]}}'),
      `the dtype of "a" must be one of ${FORMAT_TYPES}`,
      "undefined",
    ],
    ...["[-1]", "[1.5]", '["1"]', "[1e300]", "[4294967296,4294967296,0]", "7", "null"].map(
      (shape): [string, Uint8Array, string, string] => [
        `the shape ${shape}`,
        file(`{"a":{"dtype":"U8","shape":${shape},"data_offsets":[0,3]}}`, 3),
        'the shape of "a" must hold whole numbers from 0',
        shape === "[1e300]" ? "[1e+300]" : shape,
      ],
    ),
    ...["[0,4]", "[2,1]", "[-1,2]", "[0]", "[0,1,2]", "[0,1.5]", '"03"', "[0,1e99]"].map(
      (offsets): [string, Uint8Array, string, string] => [
        `the offsets ${offsets}`,
        file(`{"a":{"dtype":"U8","shape":[3],"data_offsets":${offsets}}}`, 3),
        'the data_offsets of "a" must be two ordered places in 3 bytes',
        offsets === "[0,1e99]" ? "[0,1e+99]" : offsets,
      ],
    ),
    [
      "fewer bytes than the shape needs",
      file('{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,11]}}', 11),
      '"a" must have 3 values of 32 bits',
      "11 bytes",
    ],
    [
      "two tensors that overlap",
      file(`{${one},"b":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}}`, 5),
      'tensors must lie back to back: "b" must begin at 3',
      "2",
    ],
    [
      "a hole between tensors",
      file(`{${one},"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}`, 7),
      'tensors must lie back to back: "b" must begin at 3',
      "4",
    ],
    [
      "bytes after the last tensor",
      file(`{${one}}`, 4),
      "the tensors must fill the 4 bytes of data",
      "3 bytes",
    ],
  ])("refuses %s", (_, bytes, rule, got) => {
    const message = `safetensors: ${rule}, got ${got}; the file is damaged or was made by something else, write or download it again`;
    expect(() => decodeSafetensors(bytes)).toThrow(
      expect.objectContaining({ name: "DataError", code: "DAMAGED", message }),
    );
  });

  it.each([
    ["bad JSON", file("{nothing}")],
    ["JSON cut off", file('{"a":')],
    ["bytes that are not UTF-8", file(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]))],
    ["a zero after the header", file("{}\0")],
  ])("refuses %s as a header that is not JSON", (_, bytes) => {
    expect(() => decodeSafetensors(bytes)).toThrow(/^safetensors: the header must be JSON in UTF-8, got /);
  });

  it("takes any damage of a valid file without another error than DataError, and without reading outside it", () => {
    const valid = encodeSafetensors(TENSORS, METADATA);
    const headerEnd = 8 + new DataView(valid.buffer).getUint32(0, true);
    // Mostly the length and the header, where damage has meaning.
    const place = fc.oneof(fc.nat(7), fc.integer({ min: 8, max: headerEnd - 1 }), fc.nat(valid.length - 1));
    const value = fc.oneof(fc.nat(255), fc.constantFrom(...new TextEncoder().encode('{}[]":,0919-.eE \\')));
    const edits = fc.array(fc.tuple(place, value), { maxLength: 4 });
    let refused = 0;
    fc.assert(
      fc.property(edits, fc.option(fc.nat(valid.length)), (changes, cut) => {
        const bytes = valid.slice(0, cut ?? valid.length);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        try {
          const { tensors } = decodeSafetensors(bytes);
          const total = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
          expect(total).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          refused++;
        }
      }),
      { numRuns: 5000 },
    );
    expect(refused).toBeGreaterThan(2000);
  });
});
