/** The files of conformance/, and what a result must be to pass a case. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Case, Suite } from "../../conformance/inputs.mjs";
import { inputsOf, readNumbers, sizesOf, toLayout } from "../../conformance/inputs.mjs";
import * as presets from "../../src/core/expression/presets/index.ts";
import type { MaskMod, ScoreMod } from "../../src/core/expression/trace.ts";
import type { ModifiedOptions } from "../../src/core/modified-program.ts";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";

export const FOLDER = path.resolve(import.meta.dirname, "../../conformance");
const NOT_CASES = ["schema.json"];

export const readJson = (file: string) => JSON.parse(readFileSync(path.join(FOLDER, file), "utf8"));

export const suiteFiles = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json") && !NOT_CASES.includes(file))
  .sort();

export const suites: [file: string, suite: Suite][] = suiteFiles.map((file) => [file, readJson(file)]);

/** A case with its inputs made, in the case's layout, and its options as heed takes them. */
export interface Task {
  readonly case: Case;
  readonly sizes: AttentionShapes;
  readonly options: ModifiedOptions<HostArray>;
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
  readonly dout: Float64Array;
  readonly dlse: Float64Array | undefined;
  /** Whether the weights are asked for. */
  readonly weights: boolean;
}

/** Results by name, in the case's layout. */
export type Results = Record<string, ArrayLike<number>>;

export function taskOf(c: Case): Task {
  const { allow, bias, sink, q, k, v, dout, dlse } = inputsOf(c);
  const { allow: _allow, bias: _bias, sink: _sink, ...plain } = c.options ?? {};
  return {
    case: c,
    sizes: sizesOf(c),
    options: {
      ...plain,
      ...(allow && { allow }),
      ...(bias && { bias }),
      ...(sink !== undefined && { sink }),
    },
    q: toLayout(c, "q", q),
    k: toLayout(c, "k", k),
    v: toLayout(c, "v", v),
    dout: toLayout(c, "dout", dout),
    dlse,
    weights: Boolean(c.expected?.weights),
  };
}

const PRESETS = new Map<string, unknown>(Object.entries(presets));

/** The same case asked for by its function of scores; undefined where it has none. */
export function functionTaskOf(c: Case): Task | undefined {
  if (!c.function) return undefined;
  const { name, numbers = [], tensors, instead } = c.function;
  const task = taskOf(c);
  const kept = Object.entries(task.options).filter(([option]) => !instead.includes(option as "bias"));
  const preset = PRESETS.get(name);
  // Those without numbers are functions of scores themselves.
  const made = numbers.length > 0 ? (preset as (...given: number[]) => unknown)(...numbers) : preset;
  const own = name === "causalMaskMod" ? presets.causalMaskMod() : made;
  const isMask = name.endsWith("MaskMod");
  const options = {
    ...Object.fromEntries(kept),
    ...(isMask ? { maskMod: own as MaskMod } : { scoreMod: own as ScoreMod }),
    ...(tensors && { tensors }),
  };
  return { ...task, options };
}

/** What a case expects of its function: all but the gradient of the bias that it stands for. */
export function expectedOfFunction(c: Case): Case {
  const { dbias: _, ...expected } = c.expected!;
  return { ...c, expected };
}

/** Everything that is wrong with the results of one path; one line for each array. */
export function compare(c: Case, precision: "float32" | "float64", got: Results): string[] {
  const { expected = {}, exact = [], tolerance, without = [] } = c;
  const unasked = without.filter((name) => name in got).map((name) => `${name} came unasked`);
  const wrong = Object.entries(expected).map(([name, values]) => {
    const limit = tolerance![precision][name]!;
    return firstDifference(name, got[name], readNumbers(values), limit, exact.includes(name));
  });
  return [...unasked, ...wrong.filter((line) => line !== "")];
}

function firstDifference(
  name: string,
  got: ArrayLike<number> | undefined,
  expected: Float64Array,
  tolerance: number,
  exactZeros: boolean,
): string {
  if (!got) return `${name} is missing`;
  if (got.length !== expected.length) return `${name} has ${got.length} elements, not ${expected.length}`;
  for (let e = 0; e < expected.length; e++) {
    const [x, y] = [got[e]!, expected[e]!];
    const limit = y === 0 && exactZeros ? 0 : tolerance;
    if (x !== y && !(Math.abs(x - y) <= limit)) return `${name}[${e}] is ${x}, not ${y} (within ${limit})`;
  }
  return "";
}
