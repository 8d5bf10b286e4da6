import { scores, weightedSum } from "../attention.ts";
import type { Value } from "../format/graph.ts";
import { cast, range, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { type LayerRule, type LayerUse, zeroHidden } from "./call.ts";
import { type GivenHeads, headLayer } from "./heads.ts";
import { weightsOf } from "./masked-attention.ts";

/** The least sum of a column that is divided by. */
const LEAST = 1e-6;

/** Landmarks: how each is the mean of a segment of the positions [1 or B, m, S], and which there are, bool [1 or B, m]. */
interface Landmarks {
  readonly shares: Value;
  readonly present: Value | undefined;
}

/** Segments as equal as they can be, of the positions that are there alone: ⌊j·n/m⌋ ≤ s < ⌊(j + 1)·n/m⌋. */
function landmarksOf(use: LayerUse, { q, visible }: GivenHeads): Landmarks {
  const { graph, config } = use;
  const op = (type: string, ...inputs: Value[]) => graph.op(type, inputs);
  const length = sizeOf(graph, q, 2);
  const one = graph.ints([1]);
  const most = op("Min", length, graph.ints([config.landmarks as number]));
  // How many positions an example has, and of how many landmarks: int64 [1 or B, 1, 1].
  const counted = visible
    ? graph.op("ReduceSum", [cast(graph, visible, "int64"), graph.ints([1])], { keepdims: 0 })
    : length;
  const n = unsqueeze(graph, counted, 1, 2);
  const segments = op("Min", n, most);
  const divisor = op("Max", segments, one);
  const landmark = unsqueeze(graph, range(graph, graph.ints([0]), most), 2);
  const start = (at: Value) => op("Div", op("Mul", at, n), divisor);
  const [begin, end] = [start(landmark), start(op("Add", landmark, one))];
  const position = unsqueeze(graph, range(graph, graph.ints([0]), length), 1);
  const isThere = op("Less", landmark, segments);
  const within = op(
    "And",
    op("And", op("GreaterOrEqual", position, begin), op("Less", position, end)),
    isThere,
  );
  const size = cast(graph, op("Max", op("Sub", end, begin), one), "float");
  const shares = op("Div", cast(graph, within, "float"), size);
  return { shares, present: visible && op("Squeeze", isThere, graph.ints([2])) };
}

/** The pseudo-inverse of matrices of m × m whose rows sum to 1 or 0, by a fourth-order iteration. */
function pseudoInverse({ graph, config }: LayerUse, a: Value): Value {
  const product = (x: Value, y: Value) => graph.op("MatMul", [x, y]);
  const identity = graph.op("EyeLike", [
    graph.op("Squeeze", [
      graph.op("Slice", [a, graph.ints([0, 0]), graph.ints([1, 1]), graph.ints([0, 1])]),
      graph.ints([0, 1]),
    ]),
  ]);
  const less = (n: number, x: Value) => graph.op("Sub", [graph.op("Mul", [identity, graph.number(n)]), x]);
  const columns = graph.op("ReduceMax", [graph.op("ReduceSum", [a, graph.ints([2])]), graph.ints([3])]);
  let z = graph.op("Div", [
    transpose(graph, a, [0, 1, 3, 2]),
    graph.op("Max", [columns, graph.number(LEAST)]),
  ]);
  for (let step = 0; step < (config.iterations as number); step++) {
    const az = product(a, z);
    const inner = less(15, product(az, less(7, az)));
    z = graph.op("Mul", [product(z, less(13, product(az, inner))), graph.number(0.25)]);
  }
  return z;
}

/** Each head's values, filtered along their positions. */
function alongPositions({ graph, shapeOf, values, name }: LayerUse, v: Value, Dv: number): Value {
  const [K, H] = shapeOf("conv") as [number, number];
  // Each channel of a head has the filter of its head: [H·Dv, 1, K].
  const filter = graph.weight(`${name}/conv`, [H * Dv, 1, K], () => {
    const given = values("conv");
    return Float32Array.from(
      { length: H * Dv * K },
      (_, e) => given[(e % K) * H + Math.floor(e / (K * Dv))]!,
    );
  });
  const channels = graph.op("Reshape", [transpose(graph, v, [0, 1, 3, 2]), graph.ints([0, H * Dv, -1])]);
  const side = (K - 1) / 2;
  const filtered = graph.op("Conv", [channels, filter], { group: H * Dv, pads: [side, side] });
  const rows = graph.op("Reshape", [filtered, graph.ints([0, H, Dv, -1])]);
  return transpose(graph, rows, [0, 1, 3, 2]);
}

export const nystromRule: LayerRule = (use) =>
  headLayer(use, (given) => {
    const { graph } = use;
    const { H, D, Dv, visible, allow } = given;
    const shown = (x: Value) => zeroHidden(graph, x, visible, [1, 3]);
    const [q, k, v] = [shown(given.q), shown(given.k), shown(given.v)];
    const { shares, present } = landmarksOf(use, given);
    const means = (x: Value) => graph.op("MatMul", [unsqueeze(graph, shares, 1), x]);
    const [meanQueries, meanKeys] = [means(q), means(k)];
    const landmarks = present && unsqueeze(graph, present, 1, 2);
    const of = (queries: Value, keys: Value, seen: Value | undefined) =>
      weightsOf(graph, scores(graph, { q: queries, k: keys, v, H, Hkv: H, Dv, scale: D ** -0.5 }), seen);
    const rows = (weights: Value) => zeroHidden(graph, weights, present, [1, 3]);
    const inverse = pseudoInverse(use, rows(of(meanQueries, meanKeys, landmarks)));
    const read = weightedSum(graph, rows(of(meanQueries, k, allow)), { v, H, Hkv: H, Dv });
    const mixed = graph.op("MatMul", [inverse, read]);
    const output = weightedSum(graph, of(q, meanKeys, landmarks), { v: mixed, H, Hkv: H, Dv });
    if (!use.has("conv")) return output;
    return graph.op("Add", [output, alongPositions(use, v, Dv)]);
  });
