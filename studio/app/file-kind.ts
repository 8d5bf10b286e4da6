import type { NamedFile } from "./documents.ts";

/** What a file is to the studio. */
export type FileKind = "trace" | "checkpoint" | "picture" | "empty";

const PICTURES: readonly (readonly number[])[] = [
  [0x89, 0x50, 0x4e, 0x47],
  [0xff, 0xd8, 0xff],
  [0x47, 0x49, 0x46, 0x38],
];
/** The magic number of HDF5, of torch's pickles of before 2020, and of GGUF. */
const CHECKPOINTS: readonly (readonly number[])[] = [
  [0x89, 0x48, 0x44, 0x46],
  [0x80, 0x02, 0x8a, 0x0a],
  [0x47, 0x47, 0x55, 0x46],
];
/** The metadata of a trace stands at the beginning of its header. */
export const FIRST_BYTES = 65_536;

const begins = (bytes: Uint8Array, start: readonly number[]) => start.every((byte, n) => bytes[n] === byte);

/**
 * What a file is, by its first bytes: a header of safetensors is that of a trace where it has a trace's metadata, a zip
 * archive a trace where its first member is an array of numpy. What is none of these is left to the readers of traces, which
 * say what is wrong with it.
 */
export function fileKind(start: Uint8Array): FileKind {
  if (start.length === 0) return "empty";
  if (PICTURES.some((magic) => begins(start, magic))) return "picture";
  if (CHECKPOINTS.some((magic) => begins(start, magic))) return "checkpoint";
  const text = new TextDecoder("latin1").decode(start);
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "picture";
  if (text.startsWith("PK\x03\x04")) return isNumpy(start, text) ? "trace" : "checkpoint";
  if (text[8] === "{" && /^.{4}..\0\0/s.test(text))
    return text.includes("attn_trace") ? "trace" : "checkpoint";
  return "trace";
}

/** Whether the first member of a zip archive is an array of numpy. */
function isNumpy(start: Uint8Array, text: string): boolean {
  const length = (start[26] ?? 0) | ((start[27] ?? 0) << 8);
  return text.slice(30, 30 + length).endsWith(".npy");
}

/** The kind of a file, of which only the beginning is read. */
export async function kindOfFile(file: NamedFile): Promise<FileKind> {
  return fileKind(await file.read(0, Math.min(FIRST_BYTES, file.size)));
}
