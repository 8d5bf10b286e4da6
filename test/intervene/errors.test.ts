import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { HeedError } from "../../src/core/errors.ts";
import {
  headEffects,
  type Intervention,
  intervene,
  type Recording,
  record,
} from "../../src/intervene/index.ts";
import { attention } from "../../src/ops/index.ts";
import { B, D, Dv, H, Hkv, makeInputs, random, S, T } from "./support.ts";

beforeAll(() => tf.setBackend("cpu"));

const run = () => {
  const [q, k, v] = makeInputs();
  tf.add(q, 1);
  return [attention(q, k, v), attention(q, k, v)];
};

/** The error of a list; nothing may be left behind. */
function failure(list: unknown, runs: Record<string, Recording> = {}): [string, string] {
  const before = tf.memory().numTensors;
  try {
    intervene(run, list as Intervention[], { runs });
  } catch (error) {
    expect(error).toBeInstanceOf(HeedError);
    expect(tf.memory().numTensors).toBe(before);
    return [(error as HeedError).code, (error as Error).message];
  }
  throw new Error("nothing was thrown");
}

it.each([
  [
    { do: "freeze" },
    "OPTION",
    'intervene: interventions must be a list, of one too, got {"do":"freeze"}; correct it or leave it out',
  ],
  [
    [null],
    "OPTION",
    "intervene: interventions[0] must be an object with `do`, got null; correct it or leave it out",
  ],
  [
    [{ do: "remove" }],
    "OPTION",
    'intervene: interventions[0].do must be "knockOut" or "scale" or "pin" or "swap" or "patch" or "freeze", got remove; choose one of them',
  ],
  [
    [{ do: "freeze" }, { do: "freeze", head: 1 }],
    "UNKNOWN",
    "intervene: interventions[1], a freeze, must have fields of do, layer, examples, heads, queries, got head; correct the name or leave it out",
  ],
  [
    [{ do: "knockOut", heads: -1 }],
    "OPTION",
    "intervene: interventions[0].heads must be an integer ≥ 0, got -1; choose one in that range or leave it out",
  ],
  [
    [{ do: "knockOut", heads: [] }],
    "OPTION",
    "intervene: interventions[0].heads must be a number or a list of one or more, got []; correct it or leave it out",
  ],
  [
    [{ do: "knockOut", edges: [[1, 1]], keys: 2 }],
    "CONFLICT",
    "intervene: interventions[0] must have either edges or queries and keys, got both; leave one of them out",
  ],
  [
    [{ do: "knockOut", edges: [[1]] }],
    "OPTION",
    "intervene: interventions[0].edges must be pairs [query, key], got [[1]]; correct it or leave it out",
  ],
  [
    [{ do: "scale", by: Number.NaN }],
    "OPTION",
    "intervene: interventions[0].by must be a finite number, got NaN; choose one in that range or leave it out",
  ],
  [
    [{ do: "pin", weights: [] }],
    "OPTION",
    "intervene: interventions[0].weights must be [S], [queries][S] or [heads][queries][S] finite numbers, got []; correct it or leave it out",
  ],
  [
    [{ do: "swap", of: "keys", between: [1] }],
    "OPTION",
    "intervene: interventions[0].between must be two numbers, got [1]; correct it or leave it out",
  ],
  [
    [{ do: "swap", of: "heads", between: [0, 1], heads: 2 }],
    "CONFLICT",
    "intervene: interventions[0] swaps heads and must not be of heads besides, got heads; name them in between alone",
  ],
  [
    [{ do: "patch", what: "v", from: "clean" }],
    "UNKNOWN",
    "intervene: interventions[0].from must name one of the option runs (none), got clean; pass what record returns in runs",
  ],
])("says before the run what is wrong with a list: %j", (list, code, message) => {
  let ran = false;
  const start = () => {
    ran = true;
  };
  expect(() => intervene(start, list as unknown as Intervention[])).toThrow(HeedError);
  expect(ran).toBe(false);
  expect(failure(list)).toEqual([code, message]);
});

it.each([
  ["heads", { do: "knockOut", layer: 1, heads: [0, 6] }, "call 1 (attention) has H=6, got 6"],
  ["queries", { do: "scale", by: 2, queries: 5 }, "call 0 (attention) has T=5, got 5"],
  ["keys", { do: "knockOut", keys: 7 }, "call 0 (attention) has S=7, got 7"],
  ["examples", { do: "freeze", examples: 2 }, "call 0 (attention) has B=2, got 2"],
  ["edges", { do: "knockOut", edges: [[0, 9]] }, "call 0 (attention) has S=7, got 9"],
  ["between", { do: "swap", of: "heads", between: [0, 6] }, "call 0 (attention) has H=6, got 6"],
])("says at the call what is not there: %s", (field, one, tail) => {
  const [code, message] = failure([one]);
  expect(code).toBe("OPTION");
  expect(message).toContain(`intervene: interventions[0].${field} must be within 0 to `);
  expect(message).toContain(`, as ${tail}; name what is there; numbers begin at 0`);
});

it("says which layer is not there, and that nothing called attention", () => {
  expect(failure([{ do: "freeze", layer: [0, 2] }])).toEqual([
    "OPTION",
    "intervene: interventions[0].layer must be within 0 to 1, as the run calls attention 2 times, got 2; name what is there; numbers begin at 0",
  ]);
  expect(() => intervene(() => 1, [{ do: "freeze" }])).toThrow(
    "intervene: the run must call attention, got no call; run what calls heed's attention, and put capture or record around intervene",
  );
  expect(() => intervene(async () => 1, [{ do: "freeze" }])).toThrow(
    "intervene: the run must be done when it returns, got a promise; await inside first, and pass the part that calls attention",
  );
});

it.each([
  ["a head", [{ do: "knockOut", layer: 1, heads: 6 }], "OPTION", "heads must be within 0 to 5"],
  ["a query", [{ do: "scale", by: 2, queries: 5 }], "OPTION", "queries must be within 0 to 4"],
  ["a key", [{ do: "knockOut", keys: 7 }], "OPTION", "keys must be within 0 to 6"],
  ["a layer", [{ do: "freeze" }, { do: "freeze", layer: 2 }], "OPTION", "[1].layer must be within 0 to 1"],
  ["a call of the other run", [{ do: "patch", what: "q", from: "long", layer: 1 }], "OPTION", "fromLayer"],
  ["its q, of another length", [{ do: "patch", what: "q", from: "long", layer: 0 }], "SHAPE", "[2, 6, 6, 3]"],
  ["its weights", [{ do: "patch", what: "weights", from: "long", layer: 0 }], "SHAPE", "nothing recorded"],
  ["a row of weights", [{ do: "pin", weights: [1, 0] }], "SHAPE", "weights must be [S]"],
])("says before anything runs what a recording of the run has not: %s", (_, list, code, part) => {
  const like = record(run, { keep: [] });
  const [q, k, v] = [random([B, H, T + 1, D], 1), random([B, Hkv, S, D], 2), random([B, Hkv, S, Dv], 3)];
  const long = record(() => attention(q, k, v).output);
  const before = tf.memory().numTensors;
  let ran = false;
  const start = () => {
    ran = true;
    return run();
  };
  const attempt = () => intervene(start, list as unknown as Intervention[], { runs: { long }, like });
  expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringContaining(part) }));
  expect(ran).toBe(false);
  expect(tf.memory().numTensors).toBe(before);
  // Without the recording the same is said at the call.
  const late = () => intervene(start, list as unknown as Intervention[], { runs: { long } });
  expect(late).toThrow(expect.objectContaining({ code, message: expect.stringContaining(part) }));
  expect(ran).toBe(true);
  long.dispose();
});

it("a recording of the run changes nothing but when errors come", () => {
  const like = record(run, { keep: [] });
  const list: Intervention[] = [{ do: "knockOut", layer: 1, heads: 0 }];
  const [known, without] = [{ like }, {}].map((options) =>
    intervene(run, list, options)[1]!.output.dataSync(),
  );
  expect(known).toEqual(without);
  // One that was put together by hand has no sizes, and each call is asked.
  const byHand: Recording = { calls: [{ op: "attention" }, { op: "attention" }] };
  expect(() => intervene(run, [{ do: "knockOut", heads: 6 }], { like: byHand })).toThrow(
    "heads must be within",
  );
});

it("refuses pinned rows of other lengths", () => {
  expect(failure([{ do: "pin", queries: [0, 1], weights: [[1, 0]] }])).toEqual([
    "SHAPE",
    "intervene: interventions[0].weights must be [S], [queries][S] or [heads][queries][S] of [6, 2, 7], as call 0 (attention) has S=7, got [1, 2]; give one weight for each key",
  ]);
});

it("refuses runs of other lengths, and what was not recorded", () => {
  const [q, k, v] = [random([B, H, T + 1, D], 1), random([B, Hkv, S, D], 2), random([B, Hkv, S, Dv], 3)];
  const long = record(() => attention(q, k, v));
  expect(failure([{ do: "patch", what: "q", from: "long", layer: 0 }], { long })).toEqual([
    "SHAPE",
    `intervene: interventions[0] takes q of call 0 of run "long", which must be [2, 6, 5, 3] as in call 0 (attention), got [2, 6, 6, 3]; record a run of the same lengths, batch and heads`,
  ]);
  expect(failure([{ do: "patch", what: "weights", from: "long", layer: 0 }], { long })[1]).toContain(
    'got nothing recorded; record it with keep: ["weights"]',
  );
  expect(failure([{ do: "patch", what: "q", from: "long", layer: 1 }], { long })).toEqual([
    "OPTION",
    'intervene: interventions[0].fromLayer must be within 0 to 0, as run "long" has calls=1, got 1; name a call that was recorded; the default is that of the changed call',
  ]);
  expect(failure([{ do: "patch", what: "q", from: "long", keys: 1 }], { long })).toEqual([
    "CONFLICT",
    "intervene: interventions[0] takes q, whose rows are queries, and must name no other, got keys; name queries instead",
  ]);
  long.dispose();
});

it("a recording that fails keeps nothing, and one that is disposed of frees what it kept", () => {
  const [q, k, v] = makeInputs();
  const before = tf.memory().numTensors;
  expect(() =>
    record(() => {
      attention(q, k, v);
      throw new Error("late");
    }),
  ).toThrow("late");
  expect(tf.memory().numTensors).toBe(before);
  const kept = record(() => void attention(q, k, v), { layers: [0], keep: ["q", "weights"] });
  expect(tf.memory().numTensors).toBe(before + 2);
  kept.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

it("a result in place of what makes it is refused by who was given it", () => {
  const result = tf.scalar(1) as never;
  const sentence = (op: string) =>
    `${op}: run must be a function without arguments, got a value of type object; pass () => model.encode(…), or what ` +
    "else runs";
  const oneNumber = () => tf.scalar(1);
  expect(() => intervene(result, [])).toThrow(sentence("intervene"));
  expect(() => record(result)).toThrow(sentence("record"));
  expect(() => headEffects(result, oneNumber)).toThrow(sentence("headEffects"));
  tf.dispose(result);
});
