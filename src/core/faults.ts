/** Sentences that several rooms throw, each a function of its numbers; the rest stand where they are checked. */
import type { Fault } from "./errors.ts";
import { show } from "./notation.ts";

type Shape = readonly number[];

/** A number outside its range. */
export const outOfRange = (d: { op: string; name: string; rule: string; got: unknown }): Fault => ({
  ...d,
  rule: `${d.name} must be ${d.rule}`,
  remedy: "choose one in that range or leave it out",
});

/** A value that is none of the choices. */
export const notAChoice = (d: {
  op: string;
  name: string;
  choices: readonly string[];
  got: unknown;
}): Fault => ({
  ...d,
  rule: `${d.name} must be ${d.choices.join(" or ")}`,
  remedy: "choose one of them",
});

/** A tensor with another number of axes. */
export const wrongRank = (d: { op: string; name: string; rank: string; shape: Shape }): Fault => ({
  ...d,
  rule: `${d.name} must have rank ${d.rank}`,
  got: `shape ${show(d.shape)}`,
  remedy: "reshape it first",
});

/** Two tensors that must agree in a letter of the notation. */
export const unequal = (d: {
  op: string;
  letter: string;
  a: string;
  aShape: Shape;
  b: string;
  bShape: Shape;
}): Fault => ({
  ...d,
  rule: `${d.a} and ${d.b} must have the same ${d.letter}`,
  got: `shapes ${show(d.aShape)} and ${show(d.bShape)}`,
  remedy: `make their ${d.letter} equal`,
});

function divisors(n: number): string {
  const all = Array.from({ length: n }, (_, i) => i + 1).filter((i) => n % i === 0);
  return all.length > 1 ? `${all.slice(0, -1).join(", ")} or ${all.at(-1)}` : "1";
}

/** Query heads that are no multiple of key/value heads; `option` is the one that says Hkv, where no arrays do. */
export const unevenHeads = (d: { op: string; H: number; Hkv: number; option?: string }): Fault => ({
  ...d,
  rule: `query heads H=${d.H} must be a multiple of key/value heads Hkv=${d.Hkv}`,
  got: `${d.H} and ${d.Hkv}`,
  remedy: d.option ? `choose ${d.option} ${divisors(d.H)}` : `pass k and v with ${divisors(d.H)} heads`,
});

/** A parameter of another shape than the widths of this call ask for. */
export const wrongParameter = (d: { op: string; name: string; expected: Shape; got: Shape }): Fault => ({
  ...d,
  rule: `${d.name} must have shape ${show(d.expected)} here`,
  got: show(d.got),
  remedy: "build the score for these widths",
});

/** An array that cannot be repeated to the shape that it is needed in. */
export const notBroadcast = (d: {
  op: string;
  name: string;
  letters: string;
  expected: Shape;
  got: Shape;
}): Fault => ({
  ...d,
  rule: `${d.name} must have shape ${d.letters} = ${show(d.expected)}, where any length may be 1`,
  got: show(d.got),
  remedy: "reshape it so that every axis is named",
});

/** A mask of numbers. */
export const notBool = (d: { op: string; dtype: string }): Fault => ({
  ...d,
  rule: "allow must be bool, true where a query may attend",
  got: d.dtype,
  remedy: "cast it to bool, or pass numbers to add to the scores as bias",
});

/** Lengths for another number of examples, or beyond the arrays. */
export const wrongLengths = (d: {
  op: string;
  name: string;
  B: number;
  most: number;
  got: Shape;
}): Fault => ({
  ...d,
  rule: `${d.name} must be B=${d.B} integers from 0 to ${d.most}`,
  got: show(d.got),
  remedy: "give one length per example",
});

/** `causal: true` where two corners are possible. */
export const noCausalCorner = (d: { op: string; T: number; S: number }): Fault => ({
  ...d,
  rule: "causal: true must have T = S",
  got: `T=${d.T} and S=${d.S}`,
  remedy:
    'say which corner is aligned with causal: "topLeft" or "bottomRight", or give queryOffset, the key position of the ' +
    "first query",
});

/** A window where it is open at which key query 0 stands. */
export const noWindowCorner = (d: { op: string; T: number; S: number }): Fault => ({
  ...d,
  rule: "a window must know where query 0 stands when T ≠ S",
  got: `T=${d.T} and S=${d.S}`,
  remedy:
    "give queryOffset, the key position of the first query (0 aligns the first ones, S − T the last ones)",
});

/** A query that sees no key, where that was to be an error. */
export const emptyRow = (d: { op: string; b: number; h: number; i: number }): Fault => ({
  ...d,
  rule: 'with onEmptyRow: "error" every query must see a key',
  got: `none for example ${d.b}, head ${d.h}, query ${d.i}`,
  remedy: 'allow a key there, or use onEmptyRow: "zero" or "uniform"',
});

/** A gradient of a gradient. */
export const noSecondGradient = (d: { op: string }): Fault => ({
  ...d,
  rule: "gradients of gradients are not available",
  got: "a request for one",
  remedy: "compose that op of elementary ones of TensorFlow.js",
});

/** An array of another length than its sizes say. */
export const wrongCount = (d: {
  op: string;
  name: string;
  letters: string;
  expected: number;
  got: number;
}): Fault => ({
  ...d,
  rule: `${d.name} must hold ${d.letters} = ${d.expected} numbers`,
  remedy: "pass the whole array, row-major and not detached",
});
