/**
 * The networks in TensorFlow.js: on its stock WebAssembly backend, on its CPU backend (the one that the others are
 * compared with), and on heed, either unchanged ("drop-in": nothing but the backend) or with heed's operations.
 */
import * as tf from "@tensorflow/tfjs-core";
// Registers the gradients, which tfjs-core alone does not have.
import "@tensorflow/tfjs-layers";
import { versionOf } from "../machine.mjs";
import { heedKit, stockKit } from "./kits.mjs";
import { PROGRAMS } from "./programs.mjs";
import { ADAM, setUp } from "./tasks.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Task } from "./tasks.mjs" */

const BACKENDS = {
  wasm: () => import("@tensorflow/tfjs-backend-wasm"),
  cpu: () => import("@tensorflow/tfjs-backend-cpu"),
  heed: () => import("../../dist/host/backend.js"),
};

/** One step by tf.train.adam; answers the loss before it. */
function stockStep(
  /** @type {Record<string, tf.Variable>} */ variables,
  /** @type {() => tf.Scalar} */ loss,
) {
  const { learningRate, beta1, beta2, epsilon } = ADAM;
  const adam = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const list = Object.values(variables);
  const step = () => {
    const value = /** @type {tf.Scalar} */ (adam.minimize(loss, true, list));
    const [number] = value.dataSync();
    value.dispose();
    return number;
  };
  return { step, dispose: () => adam.dispose() };
}

/** One step by heed's Adam. */
async function heedStep(
  /** @type {Record<string, tf.Variable>} */ variables,
  /** @type {() => tf.Scalar} */ lossOf,
) {
  const { Adam, namedGradients } = await import("../../dist/train/index.js");
  const adam = new Adam(ADAM);
  const step = () => {
    const { loss, grads } = namedGradients(variables, lossOf);
    adam.apply(grads, variables);
    tf.dispose(grads);
    return loss;
  };
  return { step, dispose: () => adam.dispose() };
}

/** @returns {Promise<Peer>} */
export async function load(
  /** @type {{ backend: "wasm" | "cpu" | "heed", ops?: "heed" }} */ { backend, ops },
) {
  await BACKENDS[backend]();
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} did not start`);
  const kit = ops === "heed" ? await heedKit() : stockKit;
  return {
    versions: {
      [`@tensorflow/tfjs-backend-${backend === "cpu" ? "cpu" : "wasm"}`]: versionOf("@tensorflow/tfjs-core"),
    },
    refuses: () => undefined,
    async prepare(/** @type {Task} */ task) {
      const { weights, x, y, tokens, labels } = setUp(task);
      const variables = Object.fromEntries(
        Object.entries(weights).map(([name, { values, shape }]) => [
          name,
          tf.variable(tf.tensor(values, shape)),
        ]),
      );
      const data = {
        ...(x && { x: tf.tensor(x.values, x.shape) }),
        ...(y && { y: tf.tensor(y.values, y.shape) }),
        ...(tokens && { tokens: tf.tensor1d(tokens, "int32") }),
        labels: tf.tensor1d(labels, "int32"),
      };
      const loss = () => PROGRAMS[task.kind](kit, variables, data, task.sizes);
      const { step, dispose } = await (ops === "heed" ? heedStep : stockStep)(variables, loss);
      return {
        route: ops === "heed" ? "heed's operations and Adam" : "TensorFlow.js' operations, tf.train.adam",
        run: step,
        output: () => Float32Array.of(step(), step()),
        dispose() {
          dispose();
          tf.dispose([variables, data]);
        },
      };
    },
  };
}
