/** Random numbers that a graph makes, against those of core/random.ts. */
import { expect, it } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { Graph } from "../../src/onnx/format/graph.ts";
import { normalNumbers, randomBits } from "../../src/onnx/random.ts";
import { testNative } from "./native.ts";
import { sessionOf } from "./runtime.ts";

const COUNTS = [1, 7, 4099];

it.each([0, 42, 2 ** 53 - 1])(
  "the numbers of seed %d are those of its stream, however many",
  async (seed) => {
    const graph = new Graph("random", 20);
    const n = graph.input("n", "int64", [1]);
    graph.output("bits", randomBits(graph, seed, n), "int64", ["n"]);
    graph.output("normal", normalNumbers(graph, seed, n), "float", ["n"]);
    const session = await sessionOf(graph.toBytes());
    for (const count of COUNTS) {
      const { bits, normal } = await session.run({ n: { shape: [1], values: [count] } });
      const stream = new RandomStream(seed);
      expect(Array.from(bits!.values, Number)).toEqual(Array.from({ length: count }, () => stream.bits()));
      const wanted = new RandomStream(seed).fillNormal(new Float64Array(count));
      expect(normal!.values.length).toBe(count);
      // float32's arithmetic: a few roundings of numbers up to 5.5.
      for (const [at, value] of wanted.entries())
        expect(Math.abs(normal!.values[at]! - value)).toBeLessThan(2e-6 * Math.max(1, Math.abs(value)));
    }
    await session.release();
  },
);

testNative(3);
