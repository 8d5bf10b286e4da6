import { existsSync } from "node:fs";
import path from "node:path";
import { fileBytes } from "../../checkpoints/file-bytes.ts";
import { openCheckpoint } from "../../checkpoints/open.ts";
import { DataError } from "../../core/errors.ts";
import { readJsonObject } from "../../models/pretrained/json-file.ts";
import type { Step } from "./pooling.ts";

/** Weights by the names that sentence-transformers gives them, the first that is there is taken. */
const WEIGHTS = ["model.safetensors", "pytorch_model.bin"];

const ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  Identity: (x) => x,
  Tanh: Math.tanh,
  ReLU: (x) => Math.max(x, 0),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

/** activation(W·x + b), W [width, in]. */
export interface Dense {
  readonly width: number;
  readonly apply: Step;
}

/**
 * A Dense module of sentence-transformers.
 *
 * @param into width of what it maps
 * @throws FileError MISSING, UNREADABLE · DataError DAMAGED, FORMAT, MISSING, MISMATCH, UNSUPPORTED
 */
export async function readDense(op: string, folder: string, into: number): Promise<Dense> {
  const config = readJsonObject(op, path.join(folder, "config.json")) ?? {};
  const name = String(config.activation_function ?? "Tanh")
    .split(".")
    .at(-1)!;
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  const where = path.basename(folder);
  const refuse = (code: "UNSUPPORTED" | "MISSING" | "MISMATCH", rule: string, got: string) => {
    const remedy = code === "UNSUPPORTED" ? "heed does not compute this model" : "download the whole folder";
    return new DataError(code, { op, rule, got, remedy, folder });
  };
  if (!activation) {
    const rule = `the activation of ${where} must be one of ${Object.keys(ACTIVATIONS).join(", ")}`;
    throw refuse("UNSUPPORTED", rule, name);
  }
  const file = WEIGHTS.map((one) => path.join(folder, one)).find((one) => existsSync(one));
  if (!file) throw refuse("MISSING", `${where} must have one of ${WEIGHTS.join(", ")}`, "none");
  const checkpoint = await openCheckpoint(await fileBytes(file));
  try {
    const shape = checkpoint.tensors.get("linear.weight")?.shape;
    if (shape?.length !== 2 || shape[1] !== into) {
      const rule = `linear.weight of ${where} must map ${into} numbers`;
      throw refuse("MISMATCH", rule, shape ? `[${shape.join(", ")}]` : "nothing");
    }
    const weight = await checkpoint.read("linear.weight");
    const bias = checkpoint.tensors.has("linear.bias")
      ? await checkpoint.read("linear.bias")
      : new Float32Array(shape[0]!);
    if (bias.length !== shape[0]) {
      const rule = `linear.bias of ${where} must have ${shape[0]} numbers`;
      throw refuse("MISMATCH", rule, String(bias.length));
    }
    const apply: Step = (x) =>
      Float64Array.from(bias, (start, o) => activation(start + dot(weight, o * into, x)));
    return { width: shape[0]!, apply };
  } finally {
    await checkpoint.close();
  }
}

function dot(weight: Float32Array, from: number, x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += weight[from + i]! * x[i]!;
  return sum;
}
