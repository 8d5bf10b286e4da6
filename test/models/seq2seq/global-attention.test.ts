/** Luong's attention with the weights of OpenNMT-py's GlobalAttention, on each backend. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  fromPublished,
  GlobalAttention,
  type GlobalAttentionConfig,
  globalAttentionParameters,
  openNmtNames,
  publishedNames,
} from "../../../src/models/index.ts";
import { type Stored, toTensor } from "../../attention/sequence/fixture.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";

interface Case {
  name: string;
  score: "dot" | "general" | "mlp";
  normalize: "softmax" | "sparsemax";
  lengths?: number[];
  state: Record<string, Stored>;
  inputs: Record<string, Stored>;
  dout: Stored;
  output: Stored;
  weights: Stored;
  gradients: Record<string, Stored>;
}

const file = path.resolve(import.meta.dirname, "../../fixtures/seq2seq/open-nmt.json");
const CASES = (JSON.parse(readFileSync(file, "utf8")) as Case[]).map((one) => [one.name, one] as const);

/** float32 sums of at most 10 products of numbers near 1, and a tanh or a softmax. */
const TOLERANCE = 1e-5;

const configOf = ({ score, normalize, inputs: { memory, coverage } }: Case): GlobalAttentionConfig => ({
  width: memory!.shape[2]!,
  score: score === "mlp" ? "additive" : score,
  normalize,
  coverage: coverage !== undefined,
});

/** What its decoder's checkpoint calls a parameter. */
const PREFIX = "decoder.attn.";

function loaded(one: Case): GlobalAttention {
  const config = configOf(one);
  const checkpoint = new Map(Object.entries(one.state).map(([name, array]) => [PREFIX + name, array]));
  const values = fromPublished(openNmtNames, globalAttentionParameters(config), (name) => {
    const array = checkpoint.get(PREFIX + name);
    return array && { shape: array.shape, values: Float32Array.from(array.values) };
  });
  return new GlobalAttention(config, values);
}

/** One step is a sequence of one. */
const asSteps = (x: tf.Tensor) => tf.reshape<tf.Rank.R3>(x, [x.shape[0]!, -1, x.shape.at(-1)!]);

function call(one: Case, attention: GlobalAttention, queries: tf.Tensor, memory: tf.Tensor) {
  const { coverage } = one.inputs;
  return attention.attend(asSteps(queries), memory as tf.Tensor3D, {
    ...(one.lengths && { memoryLengths: one.lengths }),
    ...(coverage && { coverage: toTensor(coverage) as tf.Tensor2D }),
  });
}

onEveryBackend("OpenNMT-py's GlobalAttention", () => {
  it.each(CASES)("has its output and its alignment: %s", (_, one) => {
    tf.tidy(() => {
      const attention = loaded(one);
      const { queries, memory } = one.inputs;
      const { attentional, weights } = call(one, attention, toTensor(queries!), toTensor(memory!));
      expect(attentional.shape).toEqual(asSteps(toTensor(one.output)).shape);
      expect(weights.shape).toEqual(asSteps(toTensor(one.weights)).shape);
      expect(distance(attentional.dataSync(), one.output.values)).toBeLessThanOrEqual(TOLERANCE);
      expect(distance(weights.dataSync(), one.weights.values)).toBeLessThanOrEqual(TOLERANCE);
      attention.dispose();
    });
  });

  it.each(CASES)("has the gradients of every weight and input: %s", (_, one) => {
    tf.tidy(() => {
      const attention = loaded(one);
      const { variables } = attention.parameters;
      const names = publishedNames(openNmtNames, globalAttentionParameters(configOf(one)));
      const queries = tf.variable(toTensor(one.inputs.queries!));
      const memory = tf.variable(toTensor(one.inputs.memory!));
      const all = { ...variables, queries, memory };
      const { grads } = tf.variableGrads(() => {
        const { attentional } = call(one, attention, queries, memory);
        return tf.sum(tf.mul(attentional, asSteps(toTensor(one.dout)))) as tf.Scalar;
      }, Object.values(all));
      for (const [name, variable] of Object.entries(all)) {
        const theirs = one.gradients[names[name] ?? name]!;
        // Matrices stand there as [out, in].
        const transposed = name in names && variable.rank === 2;
        const expected = transposed ? tf.transpose(toTensor(theirs)) : toTensor(theirs);
        const size = Math.max(1, ...theirs.values.map(Math.abs));
        const far = distance(grads[variable.name]!.dataSync(), expected.dataSync());
        expect(far / size, name).toBeLessThanOrEqual(TOLERANCE);
      }
      queries.dispose();
      memory.dispose();
      attention.dispose();
    });
  });

  it("reads what is there alone: NaN beyond a source's length reaches nothing", () => {
    tf.tidy(() => {
      const attention = new GlobalAttention({ width: 3, score: "additive" }, 1);
      const [queries, memory] = [
        toTensor(CASES[0]![1].inputs.queries!),
        toTensor(CASES[0]![1].inputs.memory!),
      ];
      const spoiled = tf.where(tf.less(tf.reshape(tf.range(0, 5), [1, 5, 1]), 4), memory, Number.NaN);
      const read = (x: tf.Tensor) =>
        attention.attend(queries as tf.Tensor3D, x as tf.Tensor3D, { memoryLengths: [4, 0] });
      const [clean, other] = [read(memory), read(spoiled)];
      expect(distance(other.attentional.dataSync(), clean.attentional.dataSync())).toBeLessThanOrEqual(
        2 ** -20,
      );
      expect(
        tf
          .slice(clean.weights, 1)
          .dataSync()
          .every((weight) => weight === 0),
      ).toBe(true);
      attention.dispose();
    });
  });
});

it("holds every score and both ways to weights, with coverage and lengths, for many steps and for one", () => {
  for (const score of ["dot", "general", "mlp"]) {
    for (const normalize of ["softmax", "sparsemax"]) {
      const cases = CASES.map(([name]) => name).filter((name) => name.startsWith(`${score}, ${normalize}, `));
      expect(cases.some((name) => name.endsWith("many steps, lengths"))).toBe(true);
      expect(cases.some((name) => name.endsWith("one step"))).toBe(true);
      expect(cases.some((name) => name.endsWith("lengths, coverage"))).toBe(true);
    }
  }
});

it("refuses what does not fit, with one error, and leaves nothing behind", () => {
  const attention = new GlobalAttention({ width: 3, score: "general" }, 1);
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const [queries, memory] = [tf.ones<tf.Rank.R3>([2, 1, 3]), tf.ones<tf.Rank.R3>([2, 5, 3])];
    expect(() => attention.attend(queries, tf.ones([2, 5, 4]))).toThrow(
      "GlobalAttention: memory must be float32 of shape [B, S, C] = [2, 5, 3], got float32 of shape [2, 5, 4]",
    );
    expect(() => attention.attend(queries, memory, { coverage: tf.ones([2, 5]) })).toThrow(
      "GlobalAttention: a coverage must have a weight",
    );
  });
  expect(tf.memory().numTensors).toBe(before);
  attention.dispose();
  expect(() => new GlobalAttention({ width: 3, score: "concat" as never })).toThrow(
    'GlobalAttention: score must be "dot" or "general" or "additive", got concat',
  );
  expect(() => new GlobalAttention({ width: 0 })).toThrow(
    "GlobalAttention: width must be an integer ≥ 1, got 0",
  );
  const missing = () => fromPublished(openNmtNames, globalAttentionParameters({ width: 3 }), () => undefined);
  expect(missing).toThrow("fromPublished: the checkpoint must have linear_out.weight");
});
