import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { memoryBytes, openCheckpoint, openSharded, parseIndex } from "../../src/checkpoints/index.ts";
import { bytesOf } from "./fixture.ts";

const text = (content: string) => Uint8Array.from(content, (c) => c.charCodeAt(0));
const open = (bytes: Uint8Array) => openCheckpoint(memoryBytes(bytes, "x"));
/** A torch archive with this pickle. */
const archive = (pickle: string, storages: Record<string, Uint8Array> = {}) =>
  zipSync(
    {
      "m/data.pkl": text(pickle),
      ...Object.fromEntries(Object.entries(storages).map(([key, data]) => [`m/data/${key}`, data])),
    },
    { level: 0 },
  );
/** `_rebuild_tensor_v2` of 4 floats of storage "0": offset, shape and strides as pickled small integers. */
const tensor = (offset: string, shape: string, strides: string) =>
  `\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000` +
  `X\x03\0\0\0cpuK\x04tQ${offset}${shape}${strides}\x89}tRs.`;

test("a pickle that would run a command is refused by the command's name", async () => {
  const pickle = "\x80\x02cposix\nsystem\nX\x07\0\0\0echo hi\x85R.";
  await expect(open(archive(pickle))).rejects.toThrow("containers, got posix.system; save the weights alone");
  const stacked = "\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.";
  await expect(open(archive(stacked))).rejects.toThrow("got builtins.eval");
});

test("opcodes that checkpoints do not need are refused by name, and unknown ones by number", async () => {
  await expect(open(archive("\x80\x02I1\n."))).rejects.toThrow("got INT");
  await expect(open(archive("\x80\x02\x82\x01."))).rejects.toThrow("got EXT1");
  await expect(open(archive("\x80\x02\xff."))).rejects.toThrow("known opcodes, got 0xff");
});

test("pickles that take what is not there end in one error", async () => {
  for (const pickle of [
    "\x80\x02.",
    "\x80\x020.",
    "\x80\x02t.",
    "\x80\x02h\x05.",
    "\x80\x02}a.",
    "\x80\x02",
    "\x80\x02X\xff\xff\xff\xff",
  ])
    await expect(open(archive(pickle))).rejects.toMatchObject({ name: "DataError" });
});

test("a dict that holds itself is refused, not followed for ever", async () => {
  const pickle = "\x80\x02}q\0X\x01\0\0\0ah\0s.";
  await expect(open(archive(pickle))).rejects.toThrow("dicts must nest at most 16 deep");
});

test("a tensor lies within its storage, whatever its offset, shape and strides say", async () => {
  const data = { 0: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) };
  const read = async (offset: string, shape: string, strides: string) => {
    const checkpoint = await open(archive(tensor(offset, shape, strides), data));
    return [...(await checkpoint.read("w"))];
  };
  expect(await read("K\x00", "K\x02K\x02\x86", "K\x02K\x01\x86")).toEqual([1, 2, 3, 4]);
  expect(await read("K\x00", "K\x02K\x02\x86", "K\x01K\x02\x86")).toEqual([1, 3, 2, 4]);
  expect(await read("K\x01", "K\x03\x85", "K\x01\x85")).toEqual([2, 3, 4]);
  const inside = "a tensor must lie within the 4 numbers of its storage";
  await expect(read("K\x02", "K\x03\x85", "K\x01\x85")).rejects.toThrow(inside);
  await expect(read("K\x00", "K\x02K\x02\x86", "K\x03K\x01\x86")).rejects.toThrow(inside);
  // A stride of 0 would make a gigabyte of one number.
  await expect(read("K\x00", "J\x00\x00\x00\x10\x85", "K\x00\x85")).rejects.toThrow(inside);
  const shaped = "a tensor must have a storage, an offset, a shape and strides";
  await expect(read("K\x00", "J\xff\xff\xff\xff\x85", "K\x01\x85")).rejects.toThrow(shaped);
  await expect(read("K\x00", "K\x02K\x02\x86", "K\x01\x85")).rejects.toThrow(shaped);
});

test("an archive without the storage, or with a shorter one, is said to be damaged", async () => {
  const pickle = tensor("K\x00", "K\x04\x85", "K\x01\x85");
  const without = await open(archive(pickle));
  await expect(without.read("w")).rejects.toThrow("the archive must have data/0, got none");
  const short = await open(archive(pickle, { 0: new Uint8Array(12) }));
  await expect(short.read("w")).rejects.toThrow('"m/data/0" must have 16 bytes at 0, got 12 bytes');
});

test("a zip that would unpack to more than it says, or to a gigabyte, is refused before it does", async () => {
  const bomb = zipSync({ "m/data.pkl": new Uint8Array(20_000) }, { level: 9 });
  const view = new DataView(bomb.buffer);
  const list = bomb.length - 22 - (46 + "m/data.pkl".length);
  view.setUint32(list + 24, 100, true);
  await expect(open(bomb)).rejects.toMatchObject({ code: "DAMAGED" });
  view.setUint32(list + 24, 0x7fffffff, true);
  await expect(open(bomb)).rejects.toThrow("must unpack to at most 268435456 bytes, got 2147483647");
});

test("GGUF headers that claim more than the file has are refused at once", async () => {
  const bytes = bytesOf("small.gguf");
  const claim = (at: number, value: bigint) => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setBigUint64(at, value, true);
    return open(copy);
  };
  await expect(claim(8, 10n ** 12n)).rejects.toMatchObject({ code: "DAMAGED" });
  await expect(claim(16, 10n ** 12n)).rejects.toMatchObject({ code: "DAMAGED" });
  await expect(claim(24, 10n ** 12n)).rejects.toThrow("a text must have at most 268435456 bytes");
  await expect(claim(8, 2n ** 63n)).rejects.toThrow("a number of this world");
  const version = bytes.slice();
  version.set([1, 0, 0, 0], 4);
  await expect(open(version)).rejects.toThrow("of version 2 or 3, got version 1");
  version.set([0, 0, 0, 3], 4);
  await expect(open(version)).rejects.toThrow("got a big-endian file");
});

test("an index stays in its folder, and its files have what it promises", async () => {
  const index = (file: string) => JSON.stringify({ weight_map: { a: file } });
  for (const file of ["../a", "/etc/passwd", "a/b", "..", ""])
    expect(() => parseIndex("i.json", index(file))).toThrow("weight_map must give files of the same folder");
  expect(() => parseIndex("i.json", "{")).toThrow("an index must be JSON");
  expect(() => parseIndex("i.json", "{}")).toThrow("an index must have a weight_map");
  expect(() => parseIndex("i.json", '{"weight_map":{}}')).toThrow("weight_map must name a tensor");
  const opener = async () => open(bytesOf("small.safetensors"));
  await expect(openSharded("i.json", new Map([["nothing", "one.safetensors"]]), opener)).rejects.toThrow(
    "one.safetensors must have nothing, as the index says, got none; the files belong to different models",
  );
  const both = await openSharded(
    "i.json",
    new Map([
      ["half", "a"],
      ["scalar", "b"],
    ]),
    opener,
  );
  expect([...(await both.read("scalar"))]).toEqual([2.5]);
  await expect(both.read("tied.a")).rejects.toThrow("one of the 2 of the file (half, scalar)");
  await both.close();
});
