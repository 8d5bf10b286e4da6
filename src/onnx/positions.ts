/** Tables of what positions add, and how a graph reads them. */
import { alibiSlopes } from "../attention/position/alibi.ts";
import { t5Bucket } from "../attention/position/t5-bias.ts";
import type { Graph, Value } from "./format/graph.ts";
import { cast, concat, transpose, unsqueeze } from "./format/operations.ts";

/** Positions are told in two steps, p = FINE·a + b: tables of so many rows each serve FINE² positions. */
const FINE = 512;

/** Cosines and sines of angles. */
export interface Turns {
  readonly cos: Value;
  readonly sin: Value;
}

/**
 * cos and sin of position · frequency, times `magnitude`: positions int64 [B, N] → [B, N, R] each.
 *
 * float32 would round the angle of a late position by more than a thousandth; tables of two steps and the cosine of a sum
 * keep every position as near as the first: cos(x + y) = cos x cos y − sin x sin y.
 */
export function turns(
  graph: Graph,
  positions: Value,
  frequencies: Float64Array,
  { magnitude = 1, name }: { magnitude?: number; name: string },
): Turns {
  const R = frequencies.length;
  const table = (step: string, stride: number, of: (angle: number) => number) =>
    graph.weight(`${name}/${step}`, [FINE, R], () =>
      Float32Array.from({ length: FINE * R }, (_, n) => of(stride * Math.floor(n / R) * frequencies[n % R]!)),
    );
  const scaled = (of: (angle: number) => number) => (angle: number) => magnitude * of(angle);
  const fine = graph.ints([FINE], []);
  const rows = (at: Value, of: Value) => graph.op("Gather", [of, at]);
  const [a, b] = [graph.op("Div", [positions, fine]), graph.op("Mod", [positions, fine])];
  const [cosA, sinA] = [
    rows(a, table("cos-far", FINE, scaled(Math.cos))),
    rows(a, table("sin-far", FINE, scaled(Math.sin))),
  ];
  const [cosB, sinB] = [rows(b, table("cos-near", 1, Math.cos)), rows(b, table("sin-near", 1, Math.sin))];
  const times = (x: Value, y: Value) => graph.op("Mul", [x, y]);
  return {
    cos: graph.op("Sub", [times(cosA, cosB), times(sinA, sinB)]),
    sin: graph.op("Add", [times(sinA, cosB), times(cosA, sinB)]),
  };
}

/** Sines and cosines in turn, or all sines before all cosines, of width E: positions int64 [B, N] → [B, N, E]. */
export function sinusoids(
  graph: Graph,
  positions: Value,
  E: number,
  { order, base = 10_000 }: { order: "interleaved" | "halves"; base?: number },
): Value {
  const pairs = Math.ceil(E / 2);
  const frequencies = Float64Array.from({ length: pairs }, (_, i) => base ** ((-2 * i) / E));
  const { sin, cos } = turns(graph, positions, frequencies, { name: `sinusoids of ${E} and ${base}` });
  const all =
    order === "halves"
      ? concat(graph, [sin, cos], 2)
      : graph.op("Reshape", [
          concat(graph, [unsqueeze(graph, sin, 3), unsqueeze(graph, cos, 3)], 3),
          graph.ints([0, 0, 2 * pairs]),
        ]);
  if (E % 2 === 0) return all;
  // An odd width has one cosine less, and in both orders it is the last number.
  return graph.op("Slice", [all, graph.ints([0]), graph.ints([E]), graph.ints([2])]);
}

/** Turns pairs of channels c and c + R/2 of x [B, H, N, D] by angles [B, N, R/2]; channels from R on stay. */
export function rotate(graph: Graph, x: Value, angles: Turns, D: number, R: number): Value {
  const [cos, sin] = [unsqueeze(graph, angles.cos, 1), unsqueeze(graph, angles.sin, 1)];
  const sizes = R === D ? [R / 2, R / 2] : [R / 2, R / 2, D - R];
  const [a, b, ...rest] = graph.ops("Split", [x, graph.ints(sizes)], sizes.length, { axis: -1 });
  const times = (y: Value, z: Value) => graph.op("Mul", [y, z]);
  const first = graph.op("Sub", [times(a!, cos), times(b!, sin)]);
  const second = graph.op("Add", [times(b!, cos), times(a!, sin)]);
  return concat(graph, [first, second, ...rest], -1);
}

/** As `rotate`, of pairs of neighbouring channels 2c and 2c + 1. */
export function rotateNeighbours(graph: Graph, x: Value, angles: Turns, D: number, R: number): Value {
  const first = (c: number) => (c < R / 2 ? 2 * c : 2 * c - R + 1);
  const order = Array.from({ length: D }, (_, c) => (c < R ? first(c) : c));
  const back = Array.from({ length: D }, (_, c) => order.indexOf(c));
  const take = (y: Value, channels: number[]) => graph.op("Gather", [y, graph.ints(channels)], { axis: -1 });
  return take(rotate(graph, take(x, order), angles, D, R), back);
}

/** Where queries and keys stand: int64 [1 or B, T] and [1 or B, S]. */
export interface Places {
  readonly queries: Value;
  readonly keys: Value;
}

/** Positions from each query to each key: int64 [1 or B, T, S]. */
function distances(graph: Graph, { queries, keys }: Places): Value {
  return graph.op("Sub", [unsqueeze(graph, keys, 1), unsqueeze(graph, queries, 2)]);
}

/** T5's bias of the scores: [1 or B, H, T, S], of its table of buckets [buckets, H]. */
export function t5Bias(
  graph: Graph,
  places: Places,
  table: { name: string; values: () => Float32Array; H: number; buckets: number; maxDistance: number },
  isCausal: boolean,
): Value {
  const { name, values, H, buckets, maxDistance } = table;
  // From the largest distance on all share a bucket: a row for each distance up to it says everything.
  const rows = 2 * maxDistance + 1;
  const options = { buckets, maxDistance, bidirectional: !isCausal };
  const byDistance = graph.weight(name, [rows, H], () => {
    const given = values();
    return Float32Array.from(
      { length: rows * H },
      (_, n) => given[t5Bucket(Math.floor(n / H) - maxDistance, options) * H + (n % H)]!,
    );
  });
  const most = (n: number) => graph.ints([n], []);
  const near = graph.op("Clip", [distances(graph, places), most(-maxDistance), most(maxDistance)]);
  const bias = graph.op("Gather", [byDistance, graph.op("Add", [near, most(maxDistance)])]);
  return transpose(graph, bias, [0, 3, 1, 2]);
}

/** ALiBi's bias of the scores: [1 or B, H, T, S]. */
export function alibiBias(graph: Graph, places: Places, H: number, most?: number): Value {
  const apart = cast(graph, graph.op("Abs", [distances(graph, places)]), "float");
  const slopes = graph.floats(
    alibiSlopes(H, most).map((slope) => -slope),
    [1, H, 1, 1],
  );
  return graph.op("Mul", [unsqueeze(graph, apart, 1), slopes]);
}
