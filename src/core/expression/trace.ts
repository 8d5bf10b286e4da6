/** Runs a user's `scoreMod` or `maskMod` once, on traced values, and answers its expression. */
import { HeedError } from "../errors.ts";
import type { ArrayInfo } from "../notation.ts";
import type { Expression } from "./expression.ts";
import { type Node, Nodes, type Variable } from "./nodes.ts";
import { shown, Trace, TracedBoolean, TracedNumber, TracedTensor } from "./traced.ts";

/** The place of an element: example, query head, and the rows of the query and the key. */
export interface Place {
  readonly b: TracedNumber;
  readonly h: TracedNumber;
  readonly q: TracedNumber;
  readonly k: TracedNumber;
}

/** What a function may read by name. A bool tensor's `at` gives a truth. */
// biome-ignore lint/suspicious/noExplicitAny: names and kinds are the caller's.
export type TracedTensors = Readonly<Record<string, TracedTensor<any>>>;

/** A change of one score: what the softmax sees in its place. */
export type ScoreMod = (score: TracedNumber, place: Place, tensors: TracedTensors) => TracedNumber | number;

/** Whether a query may attend to a key. */
export type MaskMod = (place: Place, tensors: TracedTensors) => TracedBoolean | boolean;

/**
 * The expression of a `scoreMod`.
 *
 * @throws OptionError OPTION, with the line, for a function that branches on what it is given, uses operators of
 *   JavaScript on it, throws, or answers anything but a number
 * @example
 * const halved = traceScoreMod("attention", (score) => score.mul(0.5), {});
 * halved.root.op; // "mul"
 */
export function traceScoreMod(
  op: string,
  scoreMod: ScoreMod,
  tensors: Readonly<Record<string, ArrayInfo>>,
  nodes = new Nodes(),
): Expression {
  return traced({ op, option: "scoreMod", tensors, nodes }, (trace, place, captured) => {
    const score = trace.number(trace.nodes.variable("score"));
    const result: unknown = (scoreMod as (...args: unknown[]) => unknown)(score, place, captured);
    if (result instanceof TracedNumber && result.trace === trace) return result.node;
    if (typeof result === "number" && !Number.isNaN(result)) return trace.nodes.constant(result);
    throw refuseResult(trace, "a number: the score in place of the given one", result, scoreMod);
  });
}

/**
 * The expression of a `maskMod`.
 *
 * @throws OptionError OPTION, as `traceScoreMod`, and for a function that answers anything but a truth
 * @example
 * traceMaskMod("attention", ({ q, k }) => q.greaterEqual(k), {}).root.kind; // "boolean"
 */
export function traceMaskMod(
  op: string,
  maskMod: MaskMod,
  tensors: Readonly<Record<string, ArrayInfo>>,
  nodes = new Nodes(),
): Expression {
  return traced({ op, option: "maskMod", tensors, nodes }, (trace, place, captured) => {
    const result: unknown = (maskMod as (...args: unknown[]) => unknown)(place, captured);
    if (typeof result === "boolean" || (result instanceof TracedBoolean && result.trace === trace)) {
      return trace.truthOf(result);
    }
    throw refuseResult(trace, "a boolean: true where the query may attend to the key", result, maskMod);
  });
}

function refuseResult(trace: Trace, what: string, result: unknown, { length }: { length: number }) {
  const remedy =
    result === undefined
      ? "return a value: an arrow with braces needs the word return"
      : `return ${trace.option === "maskMod" ? "a comparison" : "a traced number"}`;
  return trace.refuse(`must return ${what}`, shown(result, trace), remedy, noPlace(length));
}

/** An error without a stack: what a function returns has no line. */
function noPlace(_: number): Error {
  const error = new Error();
  error.stack = "";
  return error;
}

type Run = (trace: Trace, place: Place, tensors: TracedTensors) => Node;

interface Traceable {
  readonly op: string;
  readonly option: string;
  readonly tensors: Readonly<Record<string, ArrayInfo>>;
  readonly nodes: Nodes;
}

function traced({ op, option, tensors, nodes }: Traceable, run: Run): Expression {
  const attempt = (remembers: boolean) => {
    const trace = new Trace(op, option, remembers ? new Nodes() : nodes, remembers);
    const variable = (name: Variable) => trace.number(trace.nodes.variable(name));
    const place = { b: variable("b"), h: variable("h"), q: variable("q"), k: variable("k") };
    const root = guarded(trace, () => run(trace, place, captured(trace, tensors)));
    return { trace, root };
  };
  const { trace, root } = attempt(false);
  if (trace.unread.size > 0) {
    const [made] = attempt(true).trace.unread.values();
    throw trace.refuse(
      "must use every comparison it makes; if, ?:, && and || cannot see what a traced one will be",
      "one that nothing reads",
      "choose with condition.select(a, b), condition.and(other) or condition.or(other)",
      made,
    );
  }
  return { nodes: trace.nodes, root, tensors };
}

/** Errors of heed as they are; what else the function throws becomes one. */
function guarded<X>(trace: Trace, run: () => X): X {
  try {
    return run();
  } catch (error) {
    if (error instanceof HeedError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const given = error instanceof Error ? error : noPlace(0);
    throw trace.refuse(
      "must run on traced values",
      `"${message}"`,
      "it is called once, with values that no path has computed yet",
      given,
    );
  }
}

/** Captured tensors by name; a name that is none of them is refused. */
function captured(trace: Trace, tensors: Readonly<Record<string, ArrayInfo>>): TracedTensors {
  const made: Record<string, TracedTensor> = {};
  for (const [name, info] of Object.entries(tensors)) made[name] = new TracedTensor(trace, name, info);
  return new Proxy(made, {
    get(target, name) {
      if (typeof name === "symbol" || Object.hasOwn(target, name)) return Reflect.get(target, name);
      const names = Object.keys(target);
      throw trace.refuse(
        "must read tensors that are given to it",
        `tensors.${name}`,
        names.length > 0 ? `name one of ${names.join(", ")}` : "pass it as an option, tensors: { … }",
      );
    },
  });
}
