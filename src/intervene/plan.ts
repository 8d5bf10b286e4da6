import type { Tensor } from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import type { AttentionShapes } from "../core/notation.ts";
import { type Edit, editOf, recordedOf } from "./edit.ts";
import type { Intervention, Patch } from "./intervention.ts";
import type { Recording } from "./recording.ts";
import { nameOf } from "./refuse.ts";
import { isOfRows, type Region, regionOf, type Site } from "./region.ts";

export type Runs = Readonly<Record<string, Recording>>;

/** The interventions of one call, sorted by what they change. */
export interface Plan {
  readonly inputs: readonly { readonly region: Region; readonly what: "q" | "k" | "v"; readonly x: Tensor }[];
  readonly hidden: readonly Region[];
  readonly frozen: readonly Region[];
  readonly edits: readonly Edit[];
  readonly outputs: readonly { readonly region: Region; readonly x: Tensor }[];
}

/** An intervention, and its number in the list. */
export type Numbered = readonly [number: number, intervention: Intervention];

/** What must be known of a call to say what interventions mean in it. */
export interface KnownCall {
  readonly program: { readonly op: string; readonly shapes: AttentionShapes };
  /** There where it scores by dot products. */
  readonly scored?: unknown;
}

/** Sorts them; nothing is computed. @throws OptionError OPTION, UNSUPPORTED · ShapeError SHAPE */
export function planOf(
  op: string,
  layer: number,
  { program, scored }: KnownCall,
  given: readonly Numbered[],
  runs: Runs,
): Plan {
  const { shapes } = program;
  const call = { layer, op: program.op };
  const inputs: Plan["inputs"][number][] = [];
  const outputs: Plan["outputs"][number][] = [];
  const [hidden, frozen]: [Region[], Region[]] = [[], []];
  const [emptied, edits]: [Edit[], Edit[]] = [[], []];
  for (const [n, one] of given) {
    const site = { op, name: `interventions[${n}]`, call, shapes };
    if (one.do === "freeze") frozen.push(regionOf(site, one));
    else if (one.do === "knockOut" && (one.weight ?? "shared") === "shared") {
      const region = regionOf(site, one);
      // Where no key is left to share the weight nobody has it: that takes no mask.
      if (isOfRows(region)) emptied.push(editOf(site, one, runs));
      else hidden.push(region);
    } else if (one.do !== "patch" || one.what === "weights") edits.push(editOf(site, one, runs));
    else if (one.what === "output")
      outputs.push({ region: regionOf(site, one), x: recordedOf(site, one, runs) });
    else {
      const { what } = one;
      if (what !== "v" && !scored) throw noQueries(site, what);
      inputs.push({ what, region: rowsOf(site, one), x: recordedOf(site, one, runs) });
    }
  }
  return {
    inputs,
    hidden,
    frozen,
    edits: [...emptied, ...edits],
    outputs,
  };
}

/** The rows of q, k or v that a patch names. */
function rowsOf(site: Site, { what, ...place }: Patch): Region {
  if (what === "q") return regionOf(site, place);
  const [examples, heads, , keys] = regionOf(site, place, site.shapes.Hkv).axes;
  return { axes: [examples, heads, keys, undefined] };
}

function noQueries({ op, name, call }: Site, what: string): OptionError<"UNSUPPORTED"> {
  const rule = `${name} takes ${what}, which a call must have that scores by dot products`;
  const got = `${nameOf(call)} with another score or normaliser`;
  const remedy = "take v, weights or output instead";
  return new OptionError("UNSUPPORTED", { op, rule, got, remedy, layer: call.layer });
}
