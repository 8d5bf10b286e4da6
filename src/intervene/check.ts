import { checkChoice, checkCount, checkFinite } from "../core/check-options.ts";
import { OptionError } from "../core/errors.ts";
import { isObject } from "../core/is-object.ts";
import { type Intervention, PARTS } from "./intervention.ts";
import type { Recording } from "./recording.ts";
import { listOf } from "./region.ts";

type Fields = Readonly<Record<string, unknown>>;

const PLACE = ["do", "layer", "examples", "heads"];
/** What an intervention of each kind may have. */
const FIELDS: Readonly<Record<Intervention["do"], readonly string[]>> = {
  knockOut: [...PLACE, "queries", "keys", "edges", "weight"],
  scale: [...PLACE, "queries", "keys", "edges", "by"],
  pin: [...PLACE, "queries", "weights"],
  swap: [...PLACE, "of", "between"],
  patch: [...PLACE, "queries", "keys", "what", "from", "fromLayer"],
  freeze: [...PLACE, "queries"],
};
const LISTS = ["layer", "examples", "heads", "queries", "keys"];

/**
 * Says what is wrong with a list of interventions before anything runs; whether what they name is there only the calls can say.
 *
 * @throws OptionError OPTION, UNKNOWN, CONFLICT
 */
export function checkInterventions(
  op: string,
  interventions: readonly Intervention[],
  runs: Readonly<Record<string, Recording>>,
): void {
  if (!Array.isArray(interventions as unknown)) {
    const got = JSON.stringify(interventions) ?? "nothing";
    throw wrong(op, "interventions", "a list, of one too", got);
  }
  for (const [n, given] of interventions.entries()) {
    const name = `interventions[${n}]`;
    if (!isObject(given)) throw wrong(op, name, "an object with `do`", JSON.stringify(given));
    checkChoice(op, `${name}.do`, given.do, Object.keys(FIELDS));
    const known = FIELDS[given.do];
    const other = Object.keys(given).find((field) => !known.includes(field));
    if (other !== undefined) {
      const rule = `${name}, a ${given.do}, must have fields of ${known.join(", ")}`;
      throw new OptionError("UNKNOWN", { op, rule, got: other, remedy: "correct the name or leave it out" });
    }
    checkPlace(op, name, given as unknown as Fields);
    CHECKS[given.do](op, name, given as never, runs);
  }
}

const wrong = (op: string, name: string, rule: string, got: unknown) =>
  new OptionError("OPTION", {
    op,
    rule: `${name} must be ${rule}`,
    got: String(got),
    remedy: "correct it or leave it out",
  });

function checkPlace(op: string, name: string, given: Fields): void {
  for (const field of LISTS) {
    const value = given[field];
    if (value === undefined) continue;
    const list = typeof value === "number" ? listOf(value) : value;
    if (!Array.isArray(list) || list.length === 0)
      throw wrong(op, `${name}.${field}`, "a number or a list of one or more", JSON.stringify(value));
    for (const one of list) checkCount(op, `${name}.${field}`, one, 0);
  }
  const { edges } = given;
  if (edges === undefined) return;
  if (given.queries !== undefined || given.keys !== undefined) {
    const rule = `${name} must have either edges or queries and keys`;
    throw new OptionError("CONFLICT", { op, rule, got: "both", remedy: "leave one of them out" });
  }
  const isEdge = (edge: unknown) =>
    Array.isArray(edge) && edge.length === 2 && edge.every((at) => Number.isSafeInteger(at) && at >= 0);
  if (!Array.isArray(edges) || edges.length === 0 || !edges.every(isEdge))
    throw wrong(op, `${name}.edges`, "pairs [query, key]", JSON.stringify(edges));
}

type Check<K extends Intervention["do"]> = (
  op: string,
  name: string,
  given: Extract<Intervention, { do: K }>,
  runs: Readonly<Record<string, Recording>>,
) => void;

const CHECKS: { readonly [K in Intervention["do"]]: Check<K> } = {
  knockOut: (op, name, { weight = "shared" }) =>
    checkChoice(op, `${name}.weight`, weight, ["shared", "lost"]),
  scale: (op, name, { by }) => checkFinite(op, `${name}.by`, by),
  pin: (op, name, { weights }) => {
    const isRow = (row: unknown) =>
      Array.isArray(row) && row.length > 0 && row.every((x) => Number.isFinite(x));
    const isNested = (list: unknown, depth: number): boolean =>
      depth === 0
        ? isRow(list)
        : Array.isArray(list) && list.length > 0 && list.every((one) => isNested(one, depth - 1));
    if (![0, 1, 2].some((depth) => isNested(weights, depth)))
      throw wrong(
        op,
        `${name}.weights`,
        "[S], [queries][S] or [heads][queries][S] finite numbers",
        JSON.stringify(weights),
      );
  },
  swap: (op, name, { of, between, heads }) => {
    checkChoice(op, `${name}.of`, of, ["heads", "queries", "keys"]);
    if (!Array.isArray(between) || between.length !== 2)
      throw wrong(op, `${name}.between`, "two numbers", JSON.stringify(between));
    for (const one of between) checkCount(op, `${name}.between`, one, 0);
    if (of !== "heads" || heads === undefined) return;
    const rule = `${name} swaps heads and must not be of heads besides`;
    throw new OptionError("CONFLICT", { op, rule, got: "heads", remedy: "name them in between alone" });
  },
  patch: (op, name, { what, from, fromLayer, queries, keys }, runs) => {
    checkChoice(op, `${name}.what`, what, PARTS);
    if (!Object.hasOwn(runs, from)) {
      const rule = `${name}.from must name one of the option runs (${Object.keys(runs).join(", ") || "none"})`;
      throw new OptionError("UNKNOWN", { op, rule, got: from, remedy: "pass what record returns in runs" });
    }
    if (fromLayer !== undefined) checkCount(op, `${name}.fromLayer`, fromLayer, 0);
    const ofKeys = what === "k" || what === "v";
    if ((ofKeys ? queries : keys) === undefined) return;
    const rule = `${name} takes ${what}, whose rows are ${ofKeys ? "keys" : "queries"},`;
    const got = ofKeys ? "queries" : "keys";
    const remedy = `name ${ofKeys ? "keys" : "queries"} instead`;
    throw new OptionError("CONFLICT", { op, rule: `${rule} and must name no other`, got, remedy });
  },
  freeze: () => undefined,
};
