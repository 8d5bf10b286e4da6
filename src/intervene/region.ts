import { type Tensor, tensor, where } from "@tensorflow/tfjs-core";
import type { AttentionShapes } from "../core/notation.ts";
import type { Cells, Edge, Numbers } from "./intervention.ts";
import { type Named, notThere } from "./refuse.ts";

/** The call that an intervention is applied to, and how messages name the intervention. */
export interface Site {
  readonly op: string;
  /** `interventions[2]` */
  readonly name: string;
  readonly call: Named;
  readonly shapes: AttentionShapes;
}

/** Axes [B, H, T, S] of a place: the numbers that are named, or undefined where all are. */
export interface Region {
  readonly axes: readonly [Axis, Axis, Axis, Axis];
  readonly edges?: readonly Edge[] | undefined;
}

type Axis = readonly number[] | undefined;

const LETTERS = ["B", "H", "T", "S"] as const;
const FIELDS = ["examples", "heads", "queries", "keys"] as const;

export const listOf = (given: Numbers | undefined): readonly number[] | undefined =>
  typeof given === "number" ? [given] : given;

/**
 * What a place means in a call.
 *
 * @param H the number of heads that `heads` counts
 * @throws OptionError OPTION for a number that is not there
 */
export function regionOf(site: Site, place: Omit<Cells, "layer">, H = site.shapes.H): Region {
  const { B, T, S } = site.shapes;
  const lengths = [B, H, T, S];
  const axes = FIELDS.map((field, axis) => {
    const list = listOf(place[field]);
    for (const got of list ?? []) check(site, field, axis, lengths[axis]!, got);
    return list;
  }) as unknown as Region["axes"];
  for (const [t, s] of place.edges ?? []) {
    check(site, "edges", 2, T, t);
    check(site, "edges", 3, S, s);
  }
  return { axes, ...(place.edges && { edges: place.edges }) };
}

function check({ op, name, call }: Site, field: string, axis: number, most: number, got: number): void {
  if (got >= most) throw notThere(op, { name: `${name}.${field}`, call, letter: LETTERS[axis]!, most, got });
}

/** One number of an axis, such as a side of a swap. @throws OptionError OPTION */
export function checkAt(site: Site, field: string, axis: 1 | 2 | 3, got: number): void {
  const { H, T, S } = site.shapes;
  check(site, field, axis, [H, T, S][axis - 1]!, got);
}

export const isWhole = ({ axes, edges }: Region): boolean => !edges && axes.every((axis) => !axis);

/** Whether whole rows of weights are meant. */
export const isOfRows = ({ axes, edges }: Region): boolean => !edges && !axes[3];

/** Bool, true in the region, [B or 1, H or 1, T or 1, S or 1]. @param lengths of the axes */
export function maskOf({ axes, edges }: Region, lengths: readonly number[]): Tensor {
  const shape = axes.map((axis, n) => (axis || (edges && n >= 2) ? lengths[n]! : 1)) as [
    number,
    number,
    number,
    number,
  ];
  const [B, H, T, S] = shape;
  const all = (n: number) => axes[n] ?? Array.from({ length: shape[n]! }, (_, at) => at);
  const flags = new Uint8Array(B * H * T * S);
  for (const b of all(0))
    for (const h of all(1)) {
      const at = (b * H + h) * T * S;
      if (edges) for (const [t, s] of edges) flags[at + t * S + s] = 1;
      else for (const t of all(2)) for (const s of all(3)) flags[at + t * S + s] = 1;
    }
  return tensor(flags, shape, "bool");
}

/** `inside` in a region of x, which it is repeated for, and x elsewhere. What is not taken may hold NaN. */
export function select(region: Region, inside: Tensor, x: () => Tensor): Tensor {
  const outside = x();
  if (isWhole(region) && `${inside.shape}` === `${outside.shape}`) return inside;
  return where(maskOf(region, outside.shape), inside, outside);
}
