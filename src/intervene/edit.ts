/**
 * Changes of weights, between softmax and values. Each knows what it does to weights; those that can be had without an array of
 * T × S also know what they do to the output, or to the values.
 */
import { gather, mul, type Tensor, tensor1d, zeros } from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../core/errors.ts";
import { show } from "../core/notation.ts";
import type { KnockOut, Patch, Pin, Scale, Swap } from "./intervention.ts";
import { pinOf } from "./pin.ts";
import type { Recording } from "./recording.ts";
import { nameOf } from "./refuse.ts";
import { checkAt, isOfRows, isWhole, type Region, regionOf, type Site, select } from "./region.ts";

export interface Edit {
  /** [B, H, T, S] → the same; the weights before may not be needed. */
  readonly weights: (before: () => Tensor) => Tensor;
  /** [B, H, T, Dv] → the same, where whole rows are changed; values [B, Hkv, S, Dv]. */
  readonly output?: (before: () => Tensor, values: Tensor) => Tensor;
  /** [B, Hkv, S, Dv] → the same, where keys are changed for all queries of all examples alike. */
  readonly values?: (before: Tensor) => Tensor;
  /** Whether `output` reads the values: as they were before any edit. */
  readonly readsValues?: boolean;
  /** Whether hidden keys may get weight. */
  readonly passesMasks?: boolean;
}

export function editOf(
  site: Site,
  given: KnockOut | Scale | Pin | Swap | Patch,
  runs: Readonly<Record<string, Recording>>,
): Edit {
  if (given.do === "pin") return pinOf(site, given);
  if (given.do === "swap") return swap(site, given);
  const region = regionOf(site, given);
  if (given.do === "patch") {
    const recorded = recordedOf(site, given, runs);
    // Where all are taken nobody needs those before.
    return {
      passesMasks: true,
      weights: (before) => (isWhole(region) ? recorded : select(region, recorded, before)),
    };
  }
  return scaled(site, region, given.do === "scale" ? given.by : 0);
}

/** Weights times a factor; a factor of 0 reads nothing, not even NaN. */
function scaled(site: Site, region: Region, by: number): Edit {
  const times = (x: Tensor) => (by === 0 ? zeros([1, 1, 1, 1]) : mul(x, by));
  const weights = (before: () => Tensor) => {
    const x = before();
    return select(region, times(x), () => x);
  };
  if (isOfRows(region)) return { weights, output: weights };
  const onValues = valuesRegion(site, region);
  return { weights, ...(onValues && { values: (x) => select(onValues, times(x), () => x) }) };
}

/** The keys of a region as rows of the values, where they are the same for all queries of all heads that share values. */
function valuesRegion({ shapes }: Site, { axes, edges }: Region): Region | undefined {
  const [examples, heads, queries, keys] = axes;
  if (edges || queries) return undefined;
  if (!heads) return { axes: [examples, undefined, keys, undefined] };
  const { H, Hkv } = shapes;
  const named = new Set(heads);
  const isOf = (group: number) => [...named].filter((h) => Math.floor((h * Hkv) / H) === group).length;
  const groups = Array.from({ length: Hkv }, (_, group) => group).filter((group) => isOf(group) > 0);
  if (groups.some((group) => isOf(group) < H / Hkv)) return undefined;
  return { axes: [examples, groups, keys, undefined] };
}

function swap(site: Site, { of, between, ...place }: Swap): Edit {
  const axis = ({ heads: 1, queries: 2, keys: 3 } as const)[of];
  for (const one of between) checkAt(site, "between", axis, one);
  const { H, T, S } = site.shapes;
  const order = Int32Array.from({ length: [H, T, S][axis - 1]! }, (_, at) => at);
  const [a, b] = between;
  [order[a], order[b]] = [b, a];
  const region = regionOf(site, place);
  const along = (on: number) => (before: () => Tensor) => {
    const x = before();
    return select(region, gather(x, tensor1d(order, "int32"), on), () => x);
  };
  const weights = along(axis);
  if (of === "queries") return { weights, output: weights, passesMasks: true };
  const onValues = of === "keys" ? valuesRegion(site, region) : undefined;
  if (!onValues) return { weights, passesMasks: true };
  return {
    weights,
    passesMasks: true,
    values: (x) => select(onValues, gather(x, tensor1d(order, "int32"), 2), () => x),
  };
}

/**
 * What a patch takes, heads first.
 *
 * @throws OptionError OPTION for a call or a part that was not recorded · ShapeError SHAPE for runs of other lengths
 */
export function recordedOf(
  { op, name, call, shapes }: Site,
  { what, from, fromLayer = call.layer }: Patch,
  runs: Readonly<Record<string, Recording>>,
): Tensor {
  const { calls } = runs[from]!;
  const other = calls[fromLayer];
  if (!other) {
    const rule = `${name}.fromLayer must be within 0 to ${calls.length - 1}, as run "${from}" has calls=${calls.length}`;
    const remedy = "name a call that was recorded; the default is that of the changed call";
    throw new OptionError("OPTION", { op, rule, got: fromLayer, remedy });
  }
  const recorded = other[what];
  const { B, T, S, H, Hkv, D, Dv } = shapes;
  const place = `call ${fromLayer} of run "${from}"`;
  const expected = {
    q: [B, H, T, D],
    k: [B, Hkv, S, D],
    v: [B, Hkv, S, Dv],
    weights: [B, H, T, S],
    output: [B, H, T, Dv],
  }[what];
  const rule = `${name} takes ${what} of ${place}, which must be ${show(expected)} as in ${nameOf(call)}`;
  const got = recorded ? show(recorded.shape) : "nothing recorded";
  const remedy = recorded
    ? "record a run of the same lengths, batch and heads"
    : `record it with keep: ["${what}"]`;
  if (recorded && `${recorded.shape}` === `${expected}`) return recorded;
  throw new ShapeError("SHAPE", { op, rule, got, remedy, expected });
}
