import { jsonCost } from "../../core/json-cost.ts";
import { quoted } from "../trace/fault.ts";
import { readTrace } from "../trace/read.ts";
import type { Trace } from "../trace/trace.ts";
import { checkValues } from "../trace/values.ts";
import { fromBertViz } from "./bertviz.ts";
import { fromCsv } from "./csv.ts";
import { refuse } from "./fault.ts";
import { isNpy } from "./npy.ts";
import { fromNpy, fromNpz } from "./npz.ts";
import { Allowance, type ImportOptions } from "./options.ts";
import { softmaxWeights } from "./softmax.ts";

/**
 * A trace of a file of any kind that heed reads: a trace, BertViz's JSON, numpy's `.npz` or `.npy`, or a table of
 * comma-separated values. The contents decide which, not the name.
 *
 * Nothing is made before what it takes is counted, and what would take more than `mostBytes` is refused.
 *
 * @param fileName what messages call the file, and the trace where it has no name
 * @throws DataError FORMAT, LIMIT
 * @example
 * const bytes = new TextEncoder().encode("[[0.25, 0.75]]");
 * importTrace(bytes, "weights.json").layers[0].attn.shape; // [1, 1, 2]
 */
export function importTrace(bytes: Uint8Array, fileName?: string, options: ImportOptions = {}): Trace {
  const trace = read(bytes, fileName, options);
  return trace.name === undefined && fileName !== undefined ? { ...trace, name: fileName } : trace;
}

function read(bytes: Uint8Array, fileName: string | undefined, options: ImportOptions): Trace {
  const place = fileName === undefined ? "the file" : quoted(fileName);
  if (bytes.length === 0) refuse(place, "have contents", "0 bytes", "copy or save it again");
  if (isNpy(bytes)) return fromNpy(bytes, options);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return fromNpz(bytes, options);
  // A header's length, of which the upper bytes are 0 where it is below 16 MiB, and its brace.
  if (bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0) return readOwn(bytes, options);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const rule = "be a trace, .npz, .npy, JSON or CSV";
    return refuse(place, rule, "bytes of another kind", "save it as one of these");
  }
  if (!/^\s*[[{]/.test(text)) return fromCsv(text, options);
  const { depth, bytes: cost } = jsonCost(bytes);
  const remedy = "save lists of lists of numbers";
  if (depth > DEEPEST_JSON) refuse(place, `nest at most ${DEEPEST_JSON} deep`, `${depth}`, remedy);
  new Allowance(bytes.length, options.mostBytes).take("importTrace", place, cost);
  return fromBertViz(parseJson(place, text), options);
}

/** Sets of sets of layers are far below it. */
const DEEPEST_JSON = 32;

/** Scores in a trace are no weights yet, so its values are looked at after the softmax. */
function readOwn(bytes: Uint8Array, { softmax, mostBytes }: ImportOptions): Trace {
  const trace = readTrace(bytes, { values: !softmax, mostBytes });
  if (!softmax) return trace;
  const weights = softmaxWeights(trace);
  checkValues("importTrace", weights);
  return weights;
}

function parseJson(place: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const got = (error as Error).message.slice(0, 80);
    return refuse(place, "be whole JSON", got, "save it again; NaN is no JSON");
  }
}
