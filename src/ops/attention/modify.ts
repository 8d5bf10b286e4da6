/** `scoreMod` and `maskMod` of TensorFlow.js ops, where attention is composed: arrays of [B, H, T, S]. */
import * as tf from "@tensorflow/tfjs-core";
import { derivative } from "../../core/expression/derivative.ts";
import { gathersOf, stridesOf } from "../../core/expression/expression.ts";
import { learnedTensors, type Modification } from "../../core/expression/modification.ts";
import {
  type Binary,
  type Compare,
  inOrder,
  type Logic,
  type Node,
  type Unary,
} from "../../core/expression/nodes.ts";
import { size } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";

type Shapes = AttentionProgram["shapes"];

const UNARY: Record<Unary, (x: tf.Tensor) => tf.Tensor> = {
  neg: tf.neg,
  abs: tf.abs,
  sqrt: tf.sqrt,
  exp: tf.exp,
  log: tf.log,
  tanh: tf.tanh,
  floor: tf.floor,
};

const BINARY: Record<Binary | Compare | Logic, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  mod: (a, b) => tf.sub(a, tf.mul(b, tf.floor(tf.div(a, b)))),
  min: tf.minimum,
  max: tf.maximum,
  less: tf.less,
  lessEqual: tf.lessEqual,
  equal: tf.equal,
  and: tf.logicalAnd,
  or: tf.logicalOr,
};

/** Values of nodes over all elements, each of a shape that broadcasts to [B, H, T, S]. */
class Values {
  readonly #tensors: Readonly<Record<string, tf.Tensor>>;
  readonly #known = new Map<Node, tf.Tensor>();
  readonly #variables: Readonly<Record<string, tf.Tensor>>;

  constructor({ B, H, T, S }: Shapes, tensors: Readonly<Record<string, tf.Tensor>>, score?: tf.Tensor) {
    const along = (n: number, axis: number) => {
      const shape = [1, 1, 1, 1];
      shape[axis] = n;
      return tf.reshape(tf.range(0, n, 1, "float32"), shape);
    };
    this.#tensors = tensors;
    const places = { b: along(B, 0), h: along(H, 1), q: along(T, 2), k: along(S, 3) };
    this.#variables = { ...places, ...(score && { score }) };
  }

  of(root: Node): tf.Tensor {
    for (const node of inOrder([root])) {
      if (!this.#known.has(node)) this.#known.set(node, this.#value(node));
    }
    return this.#known.get(root)!;
  }

  /** The element numbers that a gather reads, int32. */
  indexOf({ name, args }: Node): tf.Tensor {
    const { shape } = this.#tensors[name]!;
    const strides = stridesOf(shape);
    const terms = args.map((arg, axis) => {
      const x = this.of(arg);
      const whole = tf.clipByValue(tf.floor(tf.where(tf.isNaN(x), tf.scalar(0), x)), 0, shape[axis]! - 1);
      return tf.mul(whole, strides[axis]!);
    });
    const none: tf.Tensor = tf.zeros([1, 1, 1, 1]);
    return tf.cast(
      terms.reduce((sum, term) => tf.add(sum, term), none),
      "int32",
    );
  }

  #value(node: Node): tf.Tensor {
    const { op, kind, value, name } = node;
    if (op === "constant") return kind === "boolean" ? tf.scalar(value !== 0, "bool") : tf.scalar(value);
    if (op === "variable") return this.#variables[name]!;
    if (op === "gather") {
      const all = tf.reshape(tf.cast(this.#tensors[name]!, "float32"), [-1]);
      return tf.gather(all, this.indexOf(node) as tf.Tensor1D);
    }
    const [a, b, c] = node.args.map((arg) => this.#known.get(arg)!) as [tf.Tensor, tf.Tensor, tf.Tensor];
    if (op === "not") return tf.logicalNot(a);
    if (op === "select") return tf.where(a, b, c);
    return op in UNARY ? UNARY[op as Unary](a) : BINARY[op as Binary](a, b);
  }
}

/** `maskMod` of all elements as bool [B, H, T, S]; undefined without one. */
export function maskOfModification({
  modification,
  shapes,
}: AttentionProgram<tf.Tensor>): tf.Tensor4D | undefined {
  const mask = modification?.mask;
  if (!mask) return undefined;
  const { B, H, T, S } = shapes;
  return tf.tidy(() =>
    tf.broadcastTo(new Values(shapes, modification.tensors).of(mask), [B, H, T, S]),
  ) as tf.Tensor4D;
}

/** ∂score′/∂score of scores [B, H, T, S], and the gradients of the learned tensors of Σ dscores · score′. */
export function modificationGradients(
  modification: Modification<tf.Tensor>,
  shapes: Shapes,
  scores: tf.Tensor,
  dscores: tf.Tensor,
): { score: tf.Tensor; tensors: Record<string, tf.Tensor> } {
  const { nodes, score, tensors } = modification;
  if (!score) return { score: dscores, tensors: {} };
  const { B, H, T, S } = shapes;
  const full = [B, H, T, S];
  const values = new Values(shapes, tensors, scores);
  // What is hidden changes nothing, whatever its slope.
  const times = (slope: Node) =>
    tf.where(tf.equal(dscores, 0), tf.zeros(full), tf.mul(dscores, values.of(slope)));
  const gradients: Record<string, tf.Tensor> = {};
  for (const name of learnedTensors(modification)) {
    const { shape } = tensors[name]!;
    const parts = gathersOf([score])
      .filter((gather) => gather.name === name)
      .map((gather) => {
        const index = tf.reshape(tf.broadcastTo(values.indexOf(gather), full), [-1, 1]);
        const change = tf.reshape(times(derivative(nodes, score, gather)), [-1]);
        return tf.scatterND(index, change, [size(shape)]);
      });
    gradients[name] = tf.reshape(tf.addN(parts), shape);
  }
  return { score: times(derivative(nodes, score, nodes.variable("score"))), tensors: gradients };
}

/** Scores [B, H, T, S] after `scoreMod`, with its gradients; those of −∞ stay. */
export function modifyScores(program: AttentionProgram<tf.Tensor>, scores: tf.Tensor): tf.Tensor {
  const { modification, shapes } = program;
  const score = modification?.score;
  if (!score) return scores;
  const names = learnedTensors(modification);
  const captured = Object.keys(modification.tensors);
  const all = Object.values(modification.tensors);
  const changed = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const [x] = args as tf.Tensor[];
    const value = tf.tidy(() => {
      const hidden = tf.equal(x!, Number.NEGATIVE_INFINITY);
      const made = new Values(shapes, modification.tensors, x!).of(score);
      return tf.where(hidden, x!, tf.broadcastTo(made, x!.shape));
    });
    save([x!, ...all]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, [saved, ...kept]: tf.Tensor[]) => {
        const tensors = Object.fromEntries(captured.map((name, n) => [name, kept[n]!]));
        const gradients = modificationGradients({ ...modification, tensors }, shapes, saved!, dy);
        return [gradients.score, ...names.map((name) => gradients.tensors[name]!)];
      },
    };
  });
  return changed(scores, ...names.map((name) => modification.tensors[name]!));
}
