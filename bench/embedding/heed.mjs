/** heed's embedder, given ids: packing, pooling and copies are part of the time. */
import * as tf from "@tensorflow/tfjs-core";
import { versionOf } from "../machine.mjs";
import { batchesOf, EPSILON, weightsOf } from "./cases.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Case } from "./cases.mjs" */

const BACKENDS = {
  cpu: () => import("@tensorflow/tfjs-backend-cpu"),
  heed: () => import("../../dist/host/backend.js"),
};

/**
 * @param {{ backend: "cpu" | "heed", checked?: boolean }} settings `checked`: the first sentence of each batch alone, for those who compare
 * @returns {Promise<Peer>}
 */
export async function load({ backend, checked = false }) {
  await BACKENDS[backend]();
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} did not start`);
  const { Transformer, bert } = await import("../../dist/models/index.js");
  const { Embedder, PretrainedModel } = await import("../../dist/tasks/index.js");
  return {
    versions: { "@tensorflow/tfjs-core": versionOf("@tensorflow/tfjs-core") },
    refuses: () => undefined,
    prepare(/** @type {Case} */ c) {
      const config = bert({ ...c.sizes, epsilon: EPSILON, head: false, pooler: false });
      const model = new Transformer(config, weightsOf(c.sizes));
      const embedder = new Embedder(new PretrainedModel({ model, tokenizer: undefined, config: {} }));
      const batches = batchesOf(c).map((batch) => (checked ? batch.slice(0, 1) : batch));
      const run = () => batches.map((batch) => embedder.embed(batch.map((ids) => [...ids])));
      const output = () =>
        Float32Array.from(
          run()
            .flat()
            .flatMap(({ embedding }) => [...embedding]),
        );
      return { route: "Embedder.embed", run, output, dispose: () => embedder.dispose() };
    },
  };
}
