import { type ByteSource, damaged, unsupported } from "./bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { openGguf } from "./gguf.ts";
import { isKerasArchive, openKerasArchive, openKerasWeights } from "./keras.ts";
import { openPytorchLegacy, openPytorchZip } from "./pytorch.ts";
import { openSafetensors } from "./safetensors.ts";
import { openZip } from "./zip.ts";

const LFS = "version https://git-lfs.github.com/spec/";
const startsWith = (bytes: Uint8Array, start: readonly number[]) =>
  start.every((byte, n) => bytes[n] === byte);

/**
 * Opens a file of trained values, whatever its name: safetensors, PyTorch's `.bin` and `.pt`, GGUF, Keras'
 * `.keras` and `.h5`. What it is, its first bytes say.
 *
 * @throws DataError UNSUPPORTED for another format, which is named where it is known; DAMAGED · OptionError NOT_READY for a file of
 *   Keras where the package h5wasm is not installed
 * @example
 * const bytes = encodeSafetensors({ w: { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) } });
 * const checkpoint = await openCheckpoint(memoryBytes(bytes));
 * await checkpoint.read("w"); // Float32Array [1, 2]
 */
export async function openCheckpoint(source: ByteSource): Promise<Checkpoint> {
  try {
    return await open(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function open(source: ByteSource): Promise<Checkpoint> {
  const { name, size } = source;
  const refuse = (got: string, remedy: string) =>
    unsupported(name, "a checkpoint must be safetensors, PyTorch's, GGUF or Keras'", got, remedy);
  if (size === 0) throw damaged(name, "a checkpoint must have bytes", "none");
  const start = await source.read(0, Math.min(size, LFS.length));
  const text = new TextDecoder("latin1").decode(start);
  // The length of a header and the brace that begins it: that length may begin as a pickle or a text does.
  if (/^.{4}\0{4}\{/s.test(text)) return openSafetensors(source);
  if (text === LFS)
    throw refuse("a pointer of Git LFS, not the file itself", "run git lfs pull, or download the file");
  // The length of a header, which may begin like anything else, and the brace with which its JSON begins.
  if (text.slice(5, 9) === "\0\0\0{") return openSafetensors(source);
  if (text.startsWith("GGUF")) return openGguf(source);
  if (text.startsWith("PK\x03\x04")) {
    const members = await openZip(source);
    return isKerasArchive(members) ? openKerasArchive(source, members) : openPytorchZip(source, members);
  }
  // A pickle of protocol 2 that begins with a long integer, torch's magic number.
  if (startsWith(start, [0x80, 0x02, 0x8a, 0x0a])) return openPytorchLegacy(source);
  // By its bytes: a browser reads 0x89 as ‰, since its latin1 is that of Windows.
  if (startsWith(start, [0x89, 0x48, 0x44, 0x46])) return openKerasWeights(source);
  if (startsWith(start, [0x80]))
    throw refuse("a pickle that torch.save did not write", "save it with torch.save");
  if (/^\s*</.test(text)) throw refuse("a web page", "download the file itself");
  // Eight letters would be the length of a header that no file has room for.
  if (/^[\t\n\r -~]{8}/.test(text)) throw refuse("a text", "name the file of the weights");
  return openSafetensors(source);
}
