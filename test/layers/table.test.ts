/** The table of docs/LAYERS.md says what the classes say, and what they do. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { layers as stock } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { HeedError } from "../../src/core/errors.ts";
import type { LayerInput } from "../../src/layers/base/inputs.ts";
import * as layers from "../../src/layers/index.ts";
import { distance, random, tensor } from "../attention/support.ts";
import { HEAD_OPTIONS } from "./head-cases.ts";
import { C, CASES, T } from "./table-cases.ts";

interface LayerClass {
  new (args: object): stock.Layer;
  readonly className: string;
  readonly inputs: readonly LayerInput[];
  readonly fields: object;
}
const ofName = layers as unknown as Readonly<Record<string, LayerClass>>;
const document = readFileSync(path.resolve(import.meta.dirname, "../../docs/LAYERS.md"), "utf8");

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

beforeAll(() => tf.setBackend("cpu"));

/** What is seen of a layer: a mask whose values are these, for the first input, or for the second where there is one. */
function observed(name: string) {
  const [args, shapes] = CASES[name]!;
  const Class = ofName[name]!;
  const bias = "biasInitializer" in Class.fields ? { biasInitializer: "randomNormal" } : {};
  const layer = new Class({ ...args, ...bias, seed: 1 });
  const x = shapes.map((shape, at) => tensor(random(at + 1, [1, ...shape])));
  const run = (given: readonly tf.Tensor[], masks: readonly (tf.Tensor | null)[] = []) => {
    const mask = shapes.map((_, at) => masks[at] ?? null);
    const inputs = given.length === 1 ? given[0]! : [...given];
    const call = { mask: given.length === 1 ? mask[0] : mask };
    return [layer.apply(inputs, call as never)].flat()[0] as tf.Tensor;
  };
  const mask = (...there: number[]) => tf.tensor2d([there], [1, there.length], "bool");
  const row = (output: tf.Tensor, t: number) => [
    ...tf.slice(output, [0, t, 0], [1, 1, output.shape[2]!]).dataSync(),
  ];
  run(x);
  const output = layer.weights.find((w) => w.originalName.endsWith("attention_output/bias"))?.read();
  const nameOf = (values: readonly number[]) =>
    values.every((n) => n === 0)
      ? "0"
      : output && String([...output.dataSync()]) === String(values)
        ? "bias"
        : "";
  return { shapes, x, run, mask, row, nameOf };
}

/** A mask may hide "any" position, or "the last" alone; "–" where the layer takes none. */
function hides(name: string): string {
  if (name === "AxialAttention") return "–";
  const { shapes, x, run, mask } = observed(name);
  const at = shapes.length > 1 ? 1 : 0;
  const hole = mask(...Array.from({ length: shapes[at]![0]! }, (_, n) => (n === 1 ? 0 : 1)));
  try {
    const masks = shapes.map((_, input) => (input === at ? hole : null));
    const dirty = tf.where(tf.expandDims(hole, 2), x[at]!, Number.NaN);
    const shown = run(
      x.map((given, input) => (input === at ? dirty : given)),
      masks,
    );
    expect(shown.dataSync().every(Number.isFinite), name).toBe(true);
    return "any";
  } catch (error) {
    if (error instanceof HeedError && error.code === "MASK") return "the last";
    throw error;
  }
}

/** What the output is where the last query is hidden. */
function hiddenQuery(name: string): string {
  const { shapes, x, run, mask, row, nameOf } = observed(name);
  if (shapes[0]!.length !== 2 || /Pooling$/.test(name)) return "–";
  const hidden = mask(...Array.from({ length: T }, (_, t) => (t < T - 1 ? 1 : 0)));
  const given = row(run(x, [hidden]), T - 1);
  if (nameOf(given)) return nameOf(given);
  const zeroed = tf.mul(x[0]!, tf.cast(tf.expandDims(hidden, 2), "float32"));
  expect(row(run([zeroed, ...x.slice(1)], [hidden]), T - 1), name).toEqual(given);
  return "what 0 gives";
}

/** What it is where every key is hidden. */
function blindQuery(name: string): string {
  if (name === "AxialAttention") return "–";
  const { shapes, x, run, mask, nameOf } = observed(name);
  const at = shapes.length > 1 ? 1 : 0;
  const nothing = mask(...Array<number>(shapes[at]![0]!).fill(0));
  const output = run(
    x,
    shapes.map((_, input) => (input === at ? nothing : null)),
  );
  const flat = tf.reshape(output, [-1, output.shape.at(-1)!]);
  const given = [...tf.slice(flat, [0, 0], [1, flat.shape[1]!]).dataSync()];
  if (nameOf(given)) return nameOf(given);
  if (name === "VisualSentinel") {
    expect(distance(output.dataSync(), x[2]!.dataSync())).toBeLessThan(1e-6);
    return "its sentinel";
  }
  return "the residual";
}

/** Whether the first query is the same whatever comes later. */
function isCausal(name: string): boolean {
  const { shapes, x, run, row } = observed(name);
  if (shapes.length > 1 || shapes[0]!.length !== 2 || /Pooling$/.test(name)) return false;
  const later = tf.concat([tf.slice(x[0]!, [0, 0, 0], [1, 1, C]), tf.fill([1, T - 1, C], 3)], 1);
  return distance(row(run(x), 0), row(run([later]), 0)) < 1e-6;
}

function tableRow(name: string): string {
  const { inputs, fields } = ofName[name]!;
  const given = inputs.map((input) => `${input.name}${input.optional ? "?" : ""}`).join(", ");
  const options = HEAD_OPTIONS.map((option) =>
    option in fields ? "yes" : option === "useCausalMask" && isCausal(name) ? "always" : "–",
  );
  return `| ${[`\`${name}\``, given, ...options, hides(name), hiddenQuery(name), blindQuery(name)].join(" | ")} |`;
}

/** The words of others, and what the error says about each. */
const WORDS = document
  .slice(document.indexOf("## Words of others"))
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .flatMap((line) => {
    const [words, remedy] = line.split("|").slice(1, 3) as [string, string];
    return [...words.matchAll(/`(\w+)`/g)].map(([, word]) => [word!, remedy.trim()] as const);
  });

it.each(WORDS)("refuses another library's %s, and says: %s", (word, remedy) => {
  for (const Class of [layers.TransformerEncoderLayer, layers.TransformerDecoderLayer]) {
    expect(() => new Class({ numHeads: 2, intermediateDim: 8, [word]: 1 })).toThrow(
      expect.objectContaining({
        code: "UNKNOWN",
        message: expect.stringMatching(`got ${word}; ${escaped(remedy)}$`),
      }),
    );
  }
});

it("knows the words of other layers too", () => {
  const refused = (make: () => unknown, end: string) => expect(make).toThrow(end);
  const heads = { numHeads: 2, keyDim: 3 };
  const never = (more: object) => more as never;
  refused(
    () => new layers.MultiHeadAttention(never({ ...heads, head_dim: 3 })),
    "got head_dim; its name here is keyDim",
  );
  refused(() => new layers.GroupQueryAttention(never(heads)), "got numHeads; its name here is numQueryHeads");
  refused(() => new layers.LayerNormalization(never({ eps: 1 })), "got eps; its name here is epsilon");
  refused(
    () => new layers.LongformerAttention(never({ ...heads, attention_window: 4 })),
    "got attention_window; did you mean attentionWindow?",
  );
  refused(
    () => new layers.AttentionPooling(never({ nhead: 1 })),
    "got nhead; correct its spelling or remove it",
  );
});

it("lists every layer that has one of the options", () => {
  const having = Object.values(ofName).filter(
    (Class) => typeof Class === "function" && HEAD_OPTIONS.some((option) => option in (Class.fields ?? {})),
  );
  const missing = having.map(({ className }) => className).filter((name) => !(name in CASES));
  expect(missing).toEqual([]);
});

it("has for each layer its inputs, its options, and what a hidden query or key gives", () => {
  const table = document.slice(0, document.indexOf("## Words of others"));
  const rows = table.split("\n").filter((line) => line.startsWith("| `"));
  const squeezed = rows.map((line) => line.replace(/ +/g, " "));
  tf.tidy(() => {
    expect(squeezed).toEqual(Object.keys(CASES).map(tableRow));
  });
});
