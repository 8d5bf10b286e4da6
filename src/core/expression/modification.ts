/**
 * The functions of one call that change its scores, and the tensors that they read.
 *
 *     score′ = scoreMod(score, { b, h, q, k }, tensors)       after scale, soft-cap and bias
 *     visible′ = visible ∧ maskMod({ b, h, q, k }, tensors)
 *
 * A score of −∞ is hidden already and stays so, whatever the function makes of it.
 */
import { OptionError, ShapeError } from "../errors.ts";
import { type ArrayInfo, type HostArray, show, size } from "../notation.ts";
import { derivative } from "./derivative.ts";
import { Evaluator } from "./evaluate.ts";
import { gathersOf } from "./expression.ts";
import { type Node, Nodes } from "./nodes.ts";
import { type MaskMod, type ScoreMod, traceMaskMod, traceScoreMod } from "./trace.ts";

export interface ModificationOptions<A extends ArrayInfo = ArrayInfo> {
  /**
   * What the softmax sees in the place of a score (after scale, soft-cap and bias), as a function that is called once on
   * traced values: `(score, { b, h, q, k }, tensors) => score.add(…)`. q and k are the numbers of the rows. Masks come
   * after it. @default none
   */
  scoreMod?: ScoreMod;
  /** Whether a query may attend to a key, `({ b, h, q, k }, tensors) => q.greaterEqual(k)`; besides all other masks. @default none */
  maskMod?: MaskMod;
  /**
   * Tensors that the two functions read, by name: `tensors.slopes.at(h)`. Floating-point ones get gradients. An index is
   * rounded down and clamped to its axis. @default none
   */
  tensors?: Readonly<Record<string, A>>;
}

/** The traced functions of a call. Both are of one builder. */
export interface Modification<A extends ArrayInfo = ArrayInfo> {
  readonly nodes: Nodes;
  readonly score: Node | undefined;
  readonly mask: Node | undefined;
  /** Those that are read. */
  readonly tensors: Readonly<Record<string, A>>;
}

/**
 * Traces the functions among the options of a call; undefined where there are none.
 *
 * @throws OptionError OPTION, DTYPE, CONFLICT · ShapeError SHAPE
 */
export function compileModification<A extends ArrayInfo>(
  op: string,
  { scoreMod, maskMod, tensors = {} }: ModificationOptions<A>,
): Modification<A> | undefined {
  for (const [name, given] of Object.entries({ scoreMod, maskMod })) {
    if (given === undefined || typeof given === "function") continue;
    const remedy = "pass an arrow, such as (score, { q, k }) => score.add(k.sub(q))";
    throw new OptionError("OPTION", {
      op,
      name,
      rule: `${name} must be a function`,
      got: typeof given,
      remedy,
    });
  }
  checkTensors(op, tensors);
  if (!scoreMod && !maskMod) {
    if (Object.keys(tensors).length === 0) return undefined;
    throw new OptionError("CONFLICT", {
      op,
      rule: "tensors are read by scoreMod and maskMod alone",
      got: "neither",
      remedy: "pass one of the functions, or leave tensors out",
    });
  }
  const nodes = new Nodes();
  const score = scoreMod && traceScoreMod(op, scoreMod, tensors, nodes).root;
  const mask = maskMod && traceMaskMod(op, maskMod, tensors, nodes).root;
  const read = gathersOf([...(score ? [score] : []), ...(mask ? [mask] : [])]).map(({ name }) => name);
  const used = Object.entries(tensors).filter(([name]) => read.includes(name));
  return { nodes, score, mask, tensors: Object.fromEntries(used) };
}

function checkTensors(op: string, tensors: Readonly<Record<string, ArrayInfo>>): void {
  if (typeof tensors !== "object" || tensors === null || Array.isArray(tensors)) {
    const remedy = "pass them by name: { slopes }";
    throw new OptionError("OPTION", { op, rule: "tensors must be an object", got: typeof tensors, remedy });
  }
  for (const [name, array] of Object.entries(tensors)) {
    const { shape, dtype } = (array ?? {}) as Partial<ArrayInfo>;
    if (!Array.isArray(shape) || typeof dtype !== "string") {
      const remedy = "pass a tensor, or { shape, dtype, values }";
      throw new OptionError("OPTION", {
        op,
        name,
        rule: `tensors.${name} must be a tensor`,
        got: typeof array,
        remedy,
      });
    }
    if (!/^(float32|float64|int32|bool)$/.test(dtype)) {
      const remedy = "cast it";
      throw new OptionError("DTYPE", {
        op,
        name,
        rule: `tensors.${name} must hold float32, int32 or bool`,
        got: dtype,
        remedy,
      });
    }
    if (size(shape) > 0) continue;
    throw new ShapeError("SHAPE", {
      op,
      name,
      rule: `tensors.${name} must have elements to read`,
      got: `shape ${show(shape)}`,
      remedy: "leave it out",
    });
  }
}

/** The tensors that may have gradients, by name: floating-point ones on whose numbers the score depends. */
export function learnedTensors(modification: Modification | undefined): string[] {
  if (!modification?.score) return [];
  const { nodes, score, tensors } = modification;
  const names = gathersOf([score])
    .filter((gather) => {
      const slope = derivative(nodes, score, gather);
      return !(slope.op === "constant" && slope.value === 0);
    })
    .map(({ name }) => name);
  return Object.keys(tensors).filter(
    (name) => names.includes(name) && tensors[name]!.dtype.startsWith("float"),
  );
}

/** Zeros for the gradients of those tensors, by name; float64, because they are sums. */
export function tensorZeros(modification: Modification): Record<string, Float64Array> {
  const zeros = (name: string) => new Float64Array(size(modification.tensors[name]!.shape));
  return Object.fromEntries(learnedTensors(modification).map((name) => [name, zeros(name)]));
}

/** A modification on arrays in ordinary memory, in float64. */
export class HostModification {
  readonly #modification: Modification<HostArray>;
  readonly #mask: Evaluator | undefined;
  readonly #score: Evaluator | undefined;
  readonly #slopes: Evaluator | undefined;
  /** The gathers of learned tensors. */
  readonly #gathers: readonly Node[];

  constructor(modification: Modification<HostArray>) {
    const { nodes, score, mask, tensors } = modification;
    this.#modification = modification;
    this.#mask = mask && new Evaluator([mask], tensors);
    this.#score = score && new Evaluator([score], tensors);
    const learned = learnedTensors(modification);
    this.#gathers = score ? gathersOf([score]).filter(({ name }) => learned.includes(name)) : [];
    const leaves = score ? [nodes.variable("score"), ...this.#gathers] : [];
    const slopes = leaves.map((leaf) => derivative(nodes, score!, leaf));
    this.#slopes = score && new Evaluator([...slopes, ...this.#gathers], tensors);
  }

  allows(b: number, h: number, q: number, k: number): boolean {
    return this.#mask ? this.#mask.run({ b, h, q, k })[0] !== 0 : true;
  }

  change(score: number, b: number, h: number, q: number, k: number): number {
    if (!this.#score || score === Number.NEGATIVE_INFINITY) return score;
    return this.#score.run({ score, b, h, q, k })[0]!;
  }

  /** ∂score′/∂score of an element; adds dscore · ∂score′/∂tensor to `gradients`. */
  slope(
    element: { score: number; b: number; h: number; q: number; k: number },
    dscore: number,
    gradients: Readonly<Record<string, Float64Array>>,
  ): number {
    if (!this.#slopes) return 1;
    const slopes = this.#slopes.run(element);
    for (const [n, gather] of this.#gathers.entries()) {
      const sums = gradients[gather.name];
      if (sums) sums[this.#slopes.placeOf(gather, this.#modification.tensors)]! += dscore * slopes[n + 1]!;
    }
    return slopes[0]!;
  }
}

const made = new WeakMap<Modification<HostArray>, HostModification>();

/** The modification of a program as functions, made once. */
export function hostModification(modification: Modification<HostArray>): HostModification {
  let functions = made.get(modification);
  if (!functions) {
    functions = new HostModification(modification);
    made.set(modification, functions);
  }
  return functions;
}
