import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../../src/capture/capture.ts";
import { layerMap, type Trace } from "../../../src/inspect/index.ts";
import { headEffects } from "../../../src/intervene/head-effects.ts";
import { intervene } from "../../../src/intervene/intervene.ts";
import type { Intervention } from "../../../src/intervene/intervention.ts";
import type { EffectsOutput, HeadChange, LayerFacts, OperateOutput } from "../operate-protocol.ts";
import type { Subject } from "./subject.ts";
import { traceBytes } from "./trace-bytes.ts";

/** One pass: what every head looked at, and how likely each answer was. */
interface Pass {
  readonly trace: Trace;
  readonly chances: readonly number[];
  readonly written: string;
}

const clean = new WeakMap<Subject, Pass>();

/** A changed pass beside the unchanged one. @throws what `intervene` throws */
export function operate(subject: Subject, interventions: readonly Intervention[]): OperateOutput {
  const before = clean.get(subject) ?? passOf(subject, []);
  clean.set(subject, before);
  const after = interventions.length > 0 ? passOf(subject, interventions) : before;
  return {
    layers: subject.layers,
    answers: subject.tokens.map((token, t) => ({
      token,
      before: before.chances[t]!,
      after: after.chances[t]!,
    })),
    written: { before: before.written, after: after.written },
    changes: changesOf(before.trace, after.trace),
    unchanged: traceBytes(before.trace)!,
    changed: traceBytes(after.trace)!,
    code: codeOf(subject, interventions),
  };
}

function passOf(subject: Subject, interventions: readonly Intervention[]): Pass {
  const { answers, layers } = subject;
  let chances: number[] = [];
  const run = () => {
    const scores = interventions.length > 0 ? intervene(subject.run, interventions) : subject.run();
    const all = tf.softmax(scores).dataSync();
    chances = answers.map((column, t) => all[t * scores.shape[1] + column]!);
    return scores;
  };
  const trace = named(capture(run, undefined, { thumbnails: true }), layers);
  return { trace, chances, written: subject.write(interventions) };
}

/** A trace whose layers have the names and tokens of the subject: two axes may be of one length. */
function named(trace: Trace, layers: readonly LayerFacts[]): Trace {
  const lists = [...new Set(layers.flatMap(({ queries, keys }) => [queries, keys]))];
  const nameOf = (tokens: readonly string[]) => `tokens ${lists.indexOf(tokens) + 1}`;
  return {
    ...trace,
    tokens: Object.fromEntries(lists.map((tokens) => [nameOf(tokens), [...tokens]])),
    layers: trace.layers.map((layer, n) => {
      const { name, queries, keys } = layers[n]!;
      return { ...layer, name, alignQ: nameOf(queries), alignK: nameOf(keys) };
    }),
  };
}

function changesOf(before: Trace, after: Trace): HeadChange[] {
  return before.layers.flatMap((layer, n) => {
    const [a, b] = [layerMap(layer), layerMap(after.layers[n]!)];
    return Array.from({ length: layer.H }, (_, head) => {
      let change = 0;
      for (let t = 0; t < layer.T; t++) {
        const [was, is] = [a.row(head, t).values, b.row(head, t).values];
        for (let s = 0; s < layer.S; s++) change += Math.abs((was[s] || 0) - (is[s] || 0)) / 2;
      }
      return { layer: n, head, change: change / layer.T };
    });
  });
}

/** A program that makes the changed pass: the probability of each answer, as the page shows it. */
function codeOf({ code, answers }: Subject, interventions: readonly Intervention[]): string {
  const list = interventions.map((one) => `  ${JSON.stringify(one)},`);
  return [
    `import * as tf from "@tensorflow/tfjs-core";`,
    `import { intervene } from "heed/intervene";`,
    ...code,
    `const answers = ${JSON.stringify(answers)};`,
    ...(list.length > 0
      ? ["const after = intervene(run, [", ...list, "]);"]
      : ["const after = intervene(run, []);"]),
    "console.log(after.arraySync().map((row, t) => row[answers[t]]));",
    "",
  ].join("\n");
}

/** What each head does for the log-probability of all answers together. */
export function effects(subject: Subject, method: "exact" | "gradient"): EffectsOutput {
  const begun = performance.now();
  const metric = (scores: tf.Tensor2D) => {
    const places = subject.answers.flatMap((column, t) => [t, column]);
    const chosen = tf.gatherND(
      tf.logSoftmax(scores),
      tf.tensor2d(places, [subject.answers.length, 2], "int32"),
    );
    return tf.sum(chosen);
  };
  const { metric: value, ranking } = headEffects(subject.run, metric, { method });
  return { layers: subject.layers, metric: value, ranking, milliseconds: performance.now() - begun };
}
