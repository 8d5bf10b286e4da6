import { refusal } from "../capture/refuse.ts";
import { OptionError } from "../core/errors.ts";

/** A call of attention as messages name it. */
export interface Named {
  readonly layer: number;
  readonly op: string;
}

export const nameOf = ({ layer, op }: Named): string => `call ${layer} (${op})`;

/** Throws UNSUPPORTED for a model or a result in place of what runs it. */
export function checkRun(op: string, run: unknown): void {
  if (typeof run === "function") return;
  const got = run === undefined ? "nothing" : `a value of type ${typeof run}`;
  throw refusal(
    op,
    "run",
    "be a function without arguments",
    got,
    "pass () => model.encode(…), or what else runs",
  );
}

/** Throws UNSUPPORTED for a promise: what runs later runs without the observer. */
export function checkDone<R>(op: string, result: R): R {
  if (typeof (result as { then?: unknown } | undefined | null)?.then !== "function") return result;
  const remedy = "await inside first, and pass the part that calls attention";
  throw refusal(op, "the run", "be done when it returns", "a promise", remedy);
}

/** A part of a call that is not there: `op: name must be …, as call 3 (attention) has H=12, got 12; …`. */
export function notThere(
  op: string,
  { name, call, letter, most, got }: { name: string; call: Named; letter: string; most: number; got: number },
): OptionError<"OPTION"> {
  const within = most === 0 ? "left out" : `within 0 to ${most - 1}`;
  const rule = `${name} must be ${within}, as ${nameOf(call)} has ${letter}=${most}`;
  const remedy = "name what is there; numbers begin at 0";
  return new OptionError("OPTION", { op, rule, got, remedy, layer: call.layer, most });
}

/** A call that a run does not make. */
export function layerNotThere(op: string, name: string, calls: number, got: number): OptionError<"OPTION"> {
  const rule = `${name} must be within 0 to ${calls - 1}, as the run calls attention ${calls} times`;
  const remedy = "name what is there; numbers begin at 0";
  return new OptionError("OPTION", { op, rule, got, remedy, calls });
}
