import { quoted } from "../trace/fault.ts";
import { readTrace } from "../trace/read.ts";
import type { Trace } from "../trace/trace.ts";
import { fromBertViz } from "./bertviz.ts";
import { fromCsv } from "./csv.ts";
import { refuse } from "./fault.ts";
import { isNpy } from "./npy.ts";
import { fromNpy, fromNpz } from "./npz.ts";

/**
 * A trace of a file of any kind that heed reads: a trace, BertViz's JSON, numpy's `.npz` or `.npy`, or a table of
 * comma-separated values. The contents decide which, not the name.
 *
 * @param fileName what messages call the file, and the trace where it has no name
 * @throws DataError FORMAT
 * @example
 * const bytes = new TextEncoder().encode("[[0.25, 0.75]]");
 * importTrace(bytes, "weights.json").layers[0].attn.shape; // [1, 1, 2]
 */
export function importTrace(bytes: Uint8Array, fileName?: string): Trace {
  const trace = read(bytes, fileName);
  return trace.name === undefined && fileName !== undefined ? { ...trace, name: fileName } : trace;
}

function read(bytes: Uint8Array, fileName: string | undefined): Trace {
  const place = fileName === undefined ? "the file" : quoted(fileName);
  if (bytes.length === 0) refuse(place, "have contents", "0 bytes", "copy or save it again");
  if (isNpy(bytes)) return fromNpy(bytes);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return fromNpz(bytes);
  // A header's length, of which the upper bytes are 0 where it is below 16 MiB, and its brace.
  if (bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0) return readTrace(bytes);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const rule = "be a trace, .npz, .npy, JSON or CSV";
    return refuse(place, rule, "bytes of another kind", "save it as one of these");
  }
  return /^\s*[[{]/.test(text) ? fromBertViz(parseJson(place, text)) : fromCsv(text);
}

function parseJson(place: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const got = (error as Error).message.slice(0, 80);
    return refuse(place, "be whole JSON", got, "save it again; NaN is no JSON");
  }
}
