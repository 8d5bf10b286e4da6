import { describe, expect, test } from "vitest";
import { fileBytes } from "../../src/checkpoints/file-bytes.ts";
import { blobBytes, memoryBytes, openCheckpoint } from "../../src/checkpoints/index.ts";
import { encodeSafetensors } from "../../src/core/safetensors.ts";
import { bytesOf, expectedOf, pathOf, plain, watched } from "./fixture.ts";

const FILES = [
  ["zip.pt", "pytorch.json", "pytorch"],
  ["legacy.bin", "pytorch.json", "pytorch"],
  ["small.safetensors", "pytorch.json", "safetensors"],
  ["small.gguf", "gguf.json", "gguf"],
  ["small.keras", "keras.json", "keras"],
  ["small.weights.h5", "keras.json", "keras"],
] as const;

describe.each(FILES)("%s", (file, json, format) => {
  test("holds what its writer put in, bit for bit", async () => {
    const checkpoint = await openCheckpoint(memoryBytes(bytesOf(file), file));
    expect(checkpoint.format).toBe(format);
    for (const [name, { shape, values }] of Object.entries(expectedOf(json))) {
      expect([name, checkpoint.tensors.get(name)?.shape]).toEqual([name, shape]);
      expect([name, plain(await checkpoint.read(name))]).toEqual([name, plain(values)]);
    }
    await checkpoint.close();
  });

  test("reads a tensor when it is asked for, and no byte of another", async () => {
    const { source, reads } = watched(file);
    const checkpoint = await openCheckpoint(source);
    const opening = reads.length;
    const [name] = Object.keys(expectedOf(json));
    await checkpoint.read(name!);
    const { bytes } = checkpoint.tensors.get(name!)!;
    const lengths = reads.slice(opening).map(([, length]) => length);
    if (format === "keras") {
      // HDF5 is read in pages, of which this file has one.
      expect(lengths).toEqual([]);
      return;
    }
    // A zip's local header has 30 bytes.
    expect(lengths.filter((length) => length !== 30)).toEqual([bytes]);
  });

  test("is the same from a file and from a Blob", async () => {
    const [name] = Object.keys(expectedOf(json));
    const values = expectedOf(json)[name!]!.values;
    for (const source of [await fileBytes(pathOf(file)), blobBytes(new Blob([bytesOf(file)]))]) {
      const checkpoint = await openCheckpoint(source);
      expect(plain(await checkpoint.read(name!))).toEqual(plain(values));
      await checkpoint.close();
    }
  });

  test("names the tensors that it has where another is asked for", async () => {
    const checkpoint = await openCheckpoint(memoryBytes(bytesOf(file), file));
    for (const name of ["no.such", "__proto__", "constructor"])
      await expect(checkpoint.read(name)).rejects.toThrow(`of the file (`);
  });
});

test("GGUF's metadata and tokenizer are there, numbers as numbers", async () => {
  const { metadata } = await openCheckpoint(memoryBytes(bytesOf("small.gguf")));
  const wanted = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.rope.freq_base": 1e5,
    text: "é 🙂",
    "tokenizer.ggml.tokens": ["<s>", "a", "▁b"],
    "tokenizer.ggml.scores": [0, -1.5, -2.5],
    flag: true,
  };
  for (const [name, value] of Object.entries(wanted))
    expect([name, metadata.get(name)]).toEqual([name, value]);
});

test("a GGUF type that is not read is named when it is asked for, and the rest can be read", async () => {
  const checkpoint = await openCheckpoint(memoryBytes(bytesOf("small.gguf"), "small.gguf"));
  expect(checkpoint.tensors.get("IQ4_NL")?.dtype).toBe("IQ4_NL");
  await expect(checkpoint.read("IQ4_NL")).rejects.toThrow(
    'small.gguf: the type of "IQ4_NL" must be one of F64, F32, F16, BF16, I8, I16, I32, I64, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, ' +
      "Q4_K, Q5_K, Q6_K, got IQ4_NL; quantise the model to one of these",
  );
});

test("weights among other things of a training are found, with their storages behind those of the optimiser", async () => {
  for (const file of ["wrapped-zip.pt", "wrapped-legacy.bin"]) {
    const checkpoint = await openCheckpoint(memoryBytes(bytesOf(file), file));
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
    expect([...(await checkpoint.read("a"))]).toEqual(expectedOf("pytorch.json").half!.values);
  }
});

test("a pickle that makes an object of a class is refused by the class's name, and nothing of it is run", async () => {
  await expect(openCheckpoint(memoryBytes(bytesOf("module.pt"), "module.pt"))).rejects.toThrow(
    "module.pt: a pickle must make nothing but tensors and containers, got torch.nn.modules.linear.Linear; " +
      "save the weights alone (torch.save of a state_dict, or safetensors); nothing of the file was run",
  );
});

test("every type of safetensors is read, or refused by its name when it is asked for", async () => {
  const entry = (name: string, dtype: string, begin: number, end: number) =>
    `"${name}":{"dtype":"${dtype}","shape":[4],"data_offsets":[${begin},${end}]}`;
  const places = [entry("c", "C64", 0, 32), entry("e", "F8_E4M3", 32, 36), entry("f", "F8_E5M2", 36, 40)];
  const header = `{${[...places, entry("g", "F8_E8M0", 40, 44), entry("h", "F6_E2M3", 44, 47), entry("i", "F4", 47, 49)].join(",")}}`;
  const bytes = new Uint8Array(8 + header.length + 49);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  // 1.5, the least subnormal, the largest, NaN of E4M3; 1.5, the least subnormal, −∞, NaN of E5M2.
  bytes.set([0x3c, 0x01, 0x7e, 0x7f, 0x3e, 0x01, 0xfc, 0x7d], 8 + header.length + 32);
  const checkpoint = await openCheckpoint(memoryBytes(bytes, "x"));
  expect([...(await checkpoint.read("e"))]).toEqual([1.5, 2 ** -9, 448, NaN]);
  expect([...(await checkpoint.read("f"))]).toEqual([1.5, 2 ** -16, -Infinity, NaN]);
  for (const [name, dtype] of Object.entries({ c: "C64", g: "F8_E8M0", h: "F6_E2M3", i: "F4" })) {
    await expect(checkpoint.read(name)).rejects.toThrow(`got ${dtype}; convert that tensor`);
  }
});

test("what is no checkpoint is said to be what it is", async () => {
  const text = (content: string) => memoryBytes(new TextEncoder().encode(content), "x");
  const cases: [ReturnType<typeof memoryBytes>, string][] = [
    [
      text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
      "a pointer of Git LFS, not the file itself; run git lfs pull",
    ],
    [text("<!doctype html>"), "a web page; download the file itself"],
    [memoryBytes(Uint8Array.of(0x80, 4, 0x95), "x"), "a pickle that torch.save did not write"],
    [memoryBytes(new Uint8Array(0), "x"), "a checkpoint must have bytes, got none"],
    [text("First Citizen:"), "a text; name the file of the weights"],
    [text("short"), "a file must begin with the 8 bytes of its header length"],
  ];
  for (const [source, message] of cases) await expect(openCheckpoint(source)).rejects.toThrow(message);
  await expect(fileBytes("no-such-file")).rejects.toThrow("no-such-file must be readable, got no such file");
  await expect(fileBytes(import.meta.dirname)).rejects.toThrow("got a folder");
});

test("a header as long as the first byte of a pickle or a page is a header", async () => {
  for (const first of [0x80, 0x3c, 0x89]) {
    // Spaces fill a header; the writer leaves those that JSON allows after it.
    const header = `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`.padEnd(first);
    const bytes = Uint8Array.of(first, ...Array(7).fill(0), ...new TextEncoder().encode(header), 5);
    const checkpoint = await openCheckpoint(memoryBytes(bytes));
    expect([...(await checkpoint.read("a"))]).toEqual([5]);
  }
});

test("an unaligned tensor is read as any other", async () => {
  const bytes = encodeSafetensors({ a: { dtype: "U8", shape: [1], data: Uint8Array.of(1) } });
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const checkpoint = await openCheckpoint(memoryBytes(shifted.subarray(1)));
  expect([...(await checkpoint.read("a"))]).toEqual([1]);
});

test("safetensors are known by their header, even where its length begins like another format", async () => {
  // 0x80 begins a pickle, 0x3c20 is " <" of a web page.
  for (const length of [0x80, 0x3c20]) {
    const w = { dtype: "F32" as const, shape: [1], data: Float32Array.of(7) };
    const bare = encodeSafetensors({ w }, { n: "" });
    const bytes = encodeSafetensors({ w }, { n: "x".repeat(length - Number(bare[0])) });
    expect([bytes[0], bytes[1]]).toEqual([length & 255, length >> 8]);
    const checkpoint = await openCheckpoint(memoryBytes(bytes));
    expect([...(await checkpoint.read("w"))]).toEqual([7]);
  }
});
