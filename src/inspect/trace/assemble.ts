import { keysOfGrid } from "../grid.ts";
import { described, fault, quoted, shown } from "./fault.ts";
import { checkFields, isCount } from "./fields.ts";
import type { Encoding, TraceTensor } from "./tensor.ts";
import {
  type LayerInput,
  SCORE_STAGES,
  type ScoreStage,
  type Trace,
  type TraceInput,
  type TraceLayer,
} from "./trace.ts";

const NUMBERS: readonly Encoding[] = ["f32", "f64", "f16"];
const WEIGHTS: readonly Encoding[] = [...NUMBERS, "u8log"];

/** How every PNG begins. */
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Checks that all shapes of a trace agree, and names its sizes. No value is looked at. */
export function assemble(op: string, input: TraceInput): Trace {
  const { tokens, image, grid, glimpses = [], glimpseSizes, gates = {} } = input;
  const lists = checkTokens(op, tokens);
  if (image && PNG.some((byte, i) => image[i] !== byte))
    fault(op, "the image", "be a PNG", `${image.length} bytes of another kind`, "save it as one");
  if (grid) checkGrid(op, grid, lists);
  for (const [t, glimpse] of glimpses.entries()) {
    checkEncoding(op, `glimpse.${t}`, glimpse, NUMBERS);
    const { shape } = glimpse;
    const remedy = "write u, s and d of each axis, or the affine map";
    if (!(isShape(shape, [6]) || isShape(shape, [2, 3])))
      fault(op, `glimpse.${t}`, "be [6] or [2, 3]", shown(shape), remedy);
  }
  if (glimpseSizes !== undefined) checkGlimpseSizes(op, glimpseSizes, glimpses.length);
  for (const [name, gate] of Object.entries(gates)) {
    const place = `the gate ${quoted(name)}`;
    checkEncoding(op, place, gate, WEIGHTS);
    const { shape } = gate;
    if (!(shape.length >= 1 && shape.length <= 2 && shape.every((n) => n > 0)))
      fault(op, place, "be [C], [T, C] or [height, width]", shown(shape), "write one example at a time");
  }
  const layers = input.layers.map((layer, index) => assembleLayer(op, layer, index, lists));
  return { ...input, layers, glimpses, gates };
}

type Tokens = ReadonlyMap<string, readonly string[]>;

function checkTokens(op: string, tokens: TraceInput["tokens"]): Tokens {
  for (const [name, list] of Object.entries(tokens)) {
    const wrong = list.findIndex((token) => typeof token !== "string");
    const place = `tokens[${quoted(name)}][${wrong}]`;
    if (wrong >= 0) fault(op, place, "be text", described(list[wrong]), "write str(token)");
  }
  return new Map(Object.entries(tokens));
}

function checkGrid(op: string, grid: NonNullable<TraceInput["grid"]>, tokens: Tokens): void {
  for (const name of ["height", "width", "patch", "cls"] as const) {
    const least = name === "cls" ? 0 : 1;
    if (!isCount(grid[name], least)) {
      const remedy = "write [height, width, patch, cls]: patches down and across, side, other tokens";
      fault(op, `${name} of the grid`, `be an integer ≥ ${least}`, described(grid[name]), remedy);
    }
  }
  const cells = keysOfGrid(grid);
  if ([...tokens.values()].some(({ length }) => length === cells)) return;
  const rule = `have as many cells as an axis has tokens (height·width + cls = ${cells})`;
  const lengths = [...tokens.values()].slice(0, 8).map(({ length }) => length);
  fault(op, "the grid", rule, `axes of ${lengths.join(", ") || "no"} tokens`, "name an axis for the patches");
}

/** More rows or columns than this are no glimpse. */
const MOST_SIDE = 1024;

function checkGlimpseSizes(op: string, sizes: unknown, steps: number): void {
  const place = "glimpseSizes";
  const remedy = "write [[rows, columns], …], or leave them out";
  const got = Array.isArray(sizes) ? `${sizes.length}` : described(sizes);
  if (!Array.isArray(sizes) || sizes.length !== steps)
    fault(op, place, `be a list with one for each of the ${steps} glimpses`, got, remedy);
  const isSide = (side: unknown) => isCount(side, 1) && side <= MOST_SIDE;
  for (const [t, size] of (sizes as unknown[]).entries()) {
    if (Array.isArray(size) && size.length === 2 && size.every(isSide)) continue;
    fault(op, `${place}[${t}]`, `be two integers from 1 to ${MOST_SIDE}`, described(size), remedy);
  }
}

function assembleLayer(op: string, input: LayerInput, index: number, tokens: Tokens): TraceLayer {
  const layer = `layer ${index}`;
  const T = axisLength(op, layer, "alignQ", input.alignQ, tokens);
  const S = axisLength(op, layer, "alignK", input.alignK, tokens);
  const { attn, q, k, lse, bias, mask, vnorm, scores = {}, grad, thumb, rowSums = "one" } = input;
  checkFields(op, layer, input);

  if (q && !k) fault(op, layer, "have k where it has q", "q alone", `write k.${index} [Hkv, S, D] too`);
  if (!attn && !(q && k && lse)) {
    const parts = Object.entries({ q, k, lse }).filter(([, tensor]) => tensor);
    const got = parts.length > 0 ? parts.map(([name]) => name).join(" and ") : "neither";
    const remedy = `write attn.${index} [H, T, S], or q.${index}, k.${index} and lse.${index}`;
    fault(op, layer, "have its weights, or q, k and lse to recompute them", got, remedy);
  }
  const heads = attn ?? q!;
  if (heads.shape.length !== 3 || heads.shape[0] === 0) {
    const [name, letters] = attn ? ["attn", "[H, T, S]"] : ["q", "[H, T, D]"];
    const remedy = "write one example, heads first";
    fault(op, `${name}.${index}`, `be ${letters} with H ≥ 1`, shown(heads.shape), remedy);
  }
  const H = heads.shape[0]!;
  const D = q?.shape[2] ?? k?.shape[2];
  const Hkv = k?.shape[0] ?? vnorm?.shape[0] ?? H;
  if (!isCount(Hkv, 1) || H % Hkv !== 0) {
    const name = k ? "k" : "vnorm";
    const remedy = "write a number of key/value heads that divides that of the query heads";
    fault(op, `Hkv of ${name}.${index}`, `divide H=${H}`, String(Hkv), remedy);
  }
  if (D === 0) fault(op, `D of q.${index}`, "be 1 or more", "0", "write the width of a head last");

  const expect = (
    name: string,
    tensor: TraceTensor | undefined,
    letters: string,
    sizes: readonly (number | undefined)[],
    encodings: readonly Encoding[],
  ) => {
    if (!tensor) return;
    const place = `${name.replace(".", `.${index}.`)}${name.includes(".") ? "" : `.${index}`}`;
    checkEncoding(op, place, tensor, encodings);
    if (isShape(tensor.shape, sizes)) return;
    const remedy = `its axes are named by tokens[${quoted(input.alignQ)}] (T=${T}) and tokens[${quoted(input.alignK)}] (S=${S})`;
    fault(op, place, `be ${letters} = ${shown(sizes.map((n) => n ?? 1))}`, shown(tensor.shape), remedy);
  };
  expect("attn", attn, "[H, T, S]", [H, T, S], WEIGHTS);
  expect("q", q, "[H, T, D]", [H, T, D], NUMBERS);
  expect("k", k, "[Hkv, S, D]", [Hkv, S, D], NUMBERS);
  expect("lse", lse, "[H, T]", [H, T], NUMBERS);
  expect("bias", bias, "[H or 1, T or 1, S]", [orOne(bias, 0, H), orOne(bias, 1, T), S], NUMBERS);
  const perHead = mask?.shape.length === 3;
  expect("mask", mask, perHead ? "[H, T, S]" : "[T, S]", perHead ? [H, T, S] : [T, S], ["bool"]);
  expect("vnorm", vnorm, "[Hkv, S]", [Hkv, S], NUMBERS);
  expect("grad", grad, "[H, T, S]", [H, T, S], NUMBERS);
  for (const [stage, tensor] of Object.entries(scores)) {
    if (!SCORE_STAGES.includes(stage as ScoreStage)) {
      const remedy = `name it ${SCORE_STAGES.join(", ")}`;
      fault(op, `the stage of scores.${index}`, "be one that there is", quoted(stage), remedy);
    }
    expect(`scores.${stage}`, tensor, "[H, T, S]", [H, T, S], NUMBERS);
  }
  if (thumb) {
    const [, rows = 0, columns = 0] = thumb.shape;
    expect("thumb", thumb, "[H, rows, columns]", [H, Math.max(1, rows), Math.max(1, columns)], ["u8log"]);
  }
  return { ...input, name: input.name ?? layer, index, H, Hkv, T, S, D, rowSums, scores };
}

function axisLength(
  op: string,
  layer: string,
  field: "alignQ" | "alignK",
  name: unknown,
  tokens: Tokens,
): number {
  const list = typeof name === "string" ? tokens.get(name) : undefined;
  if (!list) {
    const known =
      tokens.size > 0 ? [...tokens.keys()].slice(0, 8).map(quoted).join(", ") : "no tokens at all";
    const remedy = "correct it, or add that list";
    fault(op, `${field} of ${layer}`, `name a list in tokens (${known})`, described(name), remedy);
  }
  const place = `tokens[${quoted(name as string)}]`;
  if (list.length === 0) fault(op, place, "have at least one token", "none", "write one for each position");
  return list.length;
}

function checkEncoding(op: string, place: string, tensor: TraceTensor, allowed: readonly Encoding[]): void {
  if (!allowed.includes(tensor.encoding))
    fault(op, place, `be stored as ${allowed.join(", ")}`, tensor.encoding, "convert it");
}

const isShape = (shape: readonly number[], sizes: readonly (number | undefined)[]) =>
  shape.length === sizes.length && shape.every((n, axis) => n === sizes[axis]);

/** The length of a broadcast axis: 1 where the tensor repeats. */
function orOne(tensor: TraceTensor | undefined, axis: number, n: number): number {
  return tensor?.shape[axis] === 1 ? 1 : n;
}
