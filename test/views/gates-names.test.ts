import { expect, test } from "vitest";
import { createTrace, traceTensor } from "../../src/inspect/index.ts";
import { drawTrace } from "../../src/views/index.ts";

const [T, S] = [2, 3];
const tokens = { tgt: ["suis", "là"], src: ["I", "am", "there"] };
const share = (length: number) => Array.from({ length }, (_, n) => n / length);
const trace = createTrace({
  tokens,
  layers: [],
  gates: {
    p_gen: traceTensor([T], share(T)),
    coverage: traceTensor([T, S], share(T * S)),
    channels: traceTensor([5], share(5)),
  },
});
const drawn = (gate: string, from = trace) => drawTrace(from, { view: "gates", gate });

test("a gate that is as long as one axis of tokens has their names, others have numbers", () => {
  const bars = drawn("p_gen");
  expect(bars).toContain("<title>là: 0.5</title>");
  expect(bars).toContain("2 tokens, in order");
  const map = drawn("coverage");
  expect(map).toContain("“là” to “there”: 0.833");
  expect(drawn("channels")).toContain("5 channels, in order");
});

test("where two axes are as long, nobody knows whose names are meant", () => {
  const twins = createTrace({ tokens: { tgt: ["a", "b"], src: ["c", "d"] }, layers: [], gates: trace.gates });
  expect(drawn("p_gen", twins)).toContain("2 channels, in order");
});
