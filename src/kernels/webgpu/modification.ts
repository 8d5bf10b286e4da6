/**
 * `scoreMod` and `maskMod` in WGSL. Their captured tensors stand one after another in one buffer `tensors` of float32, so
 * that any number of them takes one of a device's buffers; bool ones are 0 and 1. Shaders read them by `tensorAt`, since a
 * pass that would have a ninth buffer has them in another one.
 */
import { derivative } from "../../core/expression/derivative.ts";
import { gathersOf, keyOf } from "../../core/expression/expression.ts";
import { learnedTensors, type Modification } from "../../core/expression/modification.ts";
import type { Node } from "../../core/expression/nodes.ts";
import { toWgslBody, type WgslNames } from "../../core/expression/to-wgsl.ts";
import { type ArrayInfo, type HostArray, size } from "../../core/notation.ts";
import type { PassBinding } from "./pass.ts";
import { tilePlanText } from "./tile-plan.ts";

type Traced = Modification<ArrayInfo>;

/** The functions of a call as text; what is equal is one shader. */
export interface ModificationText {
  /** Tells apart what shaders must be told apart by: the computations and the shapes of the tensors. */
  readonly key: string;
  readonly score: boolean;
  readonly mask: boolean;
  readonly tensors: boolean;
}

const texts = new WeakMap<ModificationText, Traced>();

/** Where each captured tensor begins in `tensors`, and how many numbers there are. */
export function tensorPlaces({ tensors }: Traced): { places: Record<string, number>; total: number } {
  const places: Record<string, number> = {};
  let total = 0;
  for (const [name, { shape }] of Object.entries(tensors)) {
    places[name] = total;
    total += size(shape);
  }
  return { places, total };
}

/** The buffer of the captured tensors, where some are read. */
export function tensorBinding({
  modification,
}: {
  readonly modification?: Traced | undefined;
}): PassBinding[] {
  const isRead = modification && Object.keys(modification.tensors).length > 0;
  return isRead ? [{ name: "tensors", access: "read" }] : [];
}

/** The captured tensors in one array; undefined where none is read. */
export function tensorValues(modification: Modification<HostArray> | undefined): Float32Array | undefined {
  if (!modification || Object.keys(modification.tensors).length === 0) return undefined;
  const { places, total } = tensorPlaces(modification);
  const values = new Float32Array(total);
  for (const [name, array] of Object.entries(modification.tensors)) values.set(array.values, places[name]!);
  return values;
}

export function modificationText(modification: Traced | undefined): ModificationText | undefined {
  if (!modification) return undefined;
  const { score, mask, tensors } = modification;
  const shapes = Object.entries(tensors).map(([name, { shape }]) => `${name}:${shape}`);
  const roots = [...(score ? [score] : []), ...(mask ? [mask] : [])];
  const text = {
    key: `${keyOf(roots)} ${shapes.join(" ")}`,
    score: score !== undefined,
    mask: mask !== undefined,
    tensors: shapes.length > 0,
  };
  texts.set(text, modification);
  return text;
}

/** How the number of a tensor that begins at `first` is read. */
const reader = (first: number) => (place: string) => `tensorAt(${first}u + ${place})`;

/** How each captured tensor is read. */
function readers(modification: Traced) {
  const places = Object.entries(tensorPlaces(modification).places);
  return Object.fromEntries(places.map(([name, first]) => [name, reader(first)]));
}

/** A function of one element, as a body of statements and its results. */
function bodyOf(modification: Traced, roots: readonly Node[]) {
  const names: WgslNames = {
    score: "score",
    b: "place.x",
    h: "place.y",
    q: "place.z",
    k: "place.w",
    tensors: readers(modification),
    infinity: "u.infinity",
  };
  const { statements, results } = toWgslBody(roots, modification, names);
  return { statements: statements.join("\n  "), results };
}

/** A function of one element called for four rows and one key. */
const fourRows = (name: string) =>
  ["x", "y", "z", "w"]
    .map((lane, r) => `${name}(s.${lane}, vec4f(f32(b), f32(h), f32(i + ${r}), f32(j)))`)
    .join(", ");

/**
 * What the shaders of a modified call have besides:
 *
 *     maskOf(b, h, i, j)        which of four rows maskMod lets see key j
 *     modified(s, b, h, i, j)   scoreMod of four scores; −∞ stays
 *     slopes(s, b, h, i, j)     its derivative by each score
 *     planOf(b, h, q0, q1, k0, k1)  what a tile needs, of `tile-plan.ts`
 *
 * `isMasked` and `isChanged` say whether the thread's tile needs the one and the other.
 */
export function modificationWgsl(text: ModificationText | undefined): string {
  const modification = text && texts.get(text);
  if (!modification) return "";
  const { nodes, score, mask } = modification;
  const signature = "(score: f32, place: vec4f)";
  const one = (name: string, type: string, root: Node) => {
    const { statements, results } = bodyOf(modification, [root]);
    return `fn ${name}${signature} -> ${type} {\n  ${statements}\n  return ${results[0]};\n}\n`;
  };
  const rows = "(s: vec4f, b: i32, h: i32, i: i32, j: i32)";
  const scoreText = score
    ? `${one("modifiedOne", "f32", score)}${one("slopeOne", "f32", derivative(nodes, score, nodes.variable("score")))}
fn modified${rows} -> vec4f {
  return select(vec4f(${fourRows("modifiedOne")}), s, isNegativeInfinite(s));
}
fn slopes${rows} -> vec4f {
  if (!isChanged) { return vec4f(1.0); }
  return vec4f(${fourRows("slopeOne")});
}
`
    : "";
  const maskText = mask
    ? `${one("isOpen", "bool", mask)}
fn maskOf(b: i32, h: i32, i: i32, j: i32) -> vec4<bool> {
  if (!isMasked) { return vec4<bool>(true); }
  let s = vec4f();
  return vec4<bool>(${fourRows("isOpen")});
}
`
    : "";
  return FLAGS + scoreText + maskText + tilePlanText(modification, readers(modification));
}

const FLAGS = "var<private> isMasked: bool = true;\nvar<private> isChanged: bool = true;\n";

/** The tensors that have gradients, by name, each with its first number in `tensors` and its size. */
export function learnedOf(modification: Traced | undefined) {
  if (!modification) return [];
  const { places } = tensorPlaces(modification);
  return learnedTensors(modification).map((name) => ({
    name,
    first: places[name]!,
    count: size(modification.tensors[name]!.shape),
  }));
}

/**
 * The gathers of one learned tensor, two functions each: `gatherSlopeN`, the score's derivative by what is read, and
 * `gatherPlaceN`, which of the tensor's numbers that is. Answers how many there are, and their text.
 */
export function gatherFunctions(text: ModificationText, name: string): { count: number; wgsl: string } {
  const modification = texts.get(text)!;
  const { nodes, score } = modification;
  const { places } = tensorPlaces(modification);
  // What is read is written `tensorAt(first + place)`.
  const before = reader(places[name]!)("").slice(0, -1);
  const all = gathersOf([score!]).filter((gather) => gather.name === name);
  const wgsl = all.map((gather, n) => {
    const slope = bodyOf(modification, [derivative(nodes, score!, gather)]);
    const read = bodyOf(modification, [gather]);
    return `fn gatherSlope${n}(score: f32, place: vec4f) -> f32 {
  ${slope.statements}
  return ${slope.results[0]};
}
fn gatherPlace${n}(score: f32, place: vec4f) -> u32 {
  ${read.statements}
  return ${read.results[0]!.slice(before.length, -1)};
}
`;
  });
  return { count: all.length, wgsl: wgsl.join("") };
}
