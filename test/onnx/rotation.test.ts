/** Positions of any size, in a graph of one table for each of two steps. */
import { expect, it } from "vitest";
import { Graph } from "../../src/onnx/format/graph.ts";
import { turns } from "../../src/onnx/positions.ts";
import { distance } from "../attention/support.ts";
import { sessionOf } from "./runtime.ts";

it("late positions turn as exactly as early ones", async () => {
  const graph = new Graph("angles", 20);
  const positions = graph.input("positions", "int64", ["batch", "sequence"]);
  const frequencies = Float64Array.of(1, 0.1234567, 1e-4);
  const { cos, sin } = turns(graph, positions, frequencies, { magnitude: 1.25, name: "angles" });
  for (const [name, value] of Object.entries({ cos, sin })) {
    graph.output(name, value, "float", ["batch", "sequence", 3]);
  }
  const session = await sessionOf(graph.toBytes());
  const values = [0, 1, 511, 512, 513, 99_991, 262_143];
  const got = await session.run({ positions: { shape: [1, 7], values } });
  await session.release();
  const wanted = (of: (angle: number) => number) =>
    values.flatMap((position) => Array.from(frequencies, (frequency) => 1.25 * of(position * frequency)));
  // Two roundings of each table and of each product, of numbers up to 1.25.
  const tolerance = 1.25 * 8 * 2 ** -24;
  expect(distance(Array.from(got.cos!.values), wanted(Math.cos))).toBeLessThan(tolerance);
  expect(distance(Array.from(got.sin!.values), wanted(Math.sin))).toBeLessThan(tolerance);
});
