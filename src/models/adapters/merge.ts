import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { tidy } from "../../ops/tidy.ts";
import { checkTransformer } from "../transformer/check-model.ts";
import type { Transformer } from "../transformer/transformer.ts";
import type { LoraAdapter } from "./lora.ts";

/**
 * Adds an adapter to the weights of its model until `unmerge`: W + s·B·A, which computes what the two do beside each other, as
 * fast as the model alone. It is not the model's `adapter` meanwhile; the weights that were there are kept.
 *
 * @returns puts the weights back that were there, bit for bit, and the adapter beside them where it was
 * @throws OptionError CONFLICT where weights stay as a file has them; by `unmerge`, where they have changed since
 * @example
 * const model = new Transformer(llama({ layers: 1, width: 8, heads: 2, vocabulary: 11 }), 1);
 * const adapter = LoraAdapter.start(model);
 * const unmerge = mergeAdapter(model, adapter);
 * unmerge();
 * adapter.dispose();
 * model.dispose();
 */
export function mergeAdapter(model: Transformer, adapter: LoraAdapter): () => void {
  checkTransformer("mergeAdapter", model);
  const was = model.adapter;
  const variables = model.parameters.trainable("mergeAdapter");
  const changed = adapter.matrices.map((name) => {
    const variable = variables[name]!;
    const before = tidy(() => tf.keep(tf.clone(variable as tf.Tensor)));
    tidy(() => variable.assign(tf.add(before, adapter.change(name)!)));
    return { name, variable, before, after: variable.dataId };
  });
  if (was === adapter) model.adapter = undefined;
  return () => {
    const other = changed.find(({ variable, after }) => variable.dataId !== after);
    if (other) {
      throw new OptionError("CONFLICT", {
        op: "unmerge",
        rule: `${other.name} must be what the merge made of it`,
        got: "other values",
        remedy: "undo what was done after the merge first, the last one first",
      });
    }
    for (const { variable, before } of changed) {
      variable.assign(before);
      before.dispose();
    }
    if (was === adapter) model.adapter = adapter;
  };
}
