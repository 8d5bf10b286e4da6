/** adapter_model.safetensors: every tensor of it has a module of the model, or is refused by its name. */
import type { Checkpoint } from "../../checkpoints/checkpoint.ts";
import { type LoraConfig, notThis } from "./adapter-config.ts";
import type { LinearModule } from "./modules.ts";

const NAME = /^base_model\.model\.(.+)\.lora_([AB])(?:\.default)?\.weight$/;

export interface ReadPair {
  readonly module: LinearModule;
  /** The module's name in the file, without or with the prefix of the whole model. */
  readonly path: string;
  /** A [r, in] */
  readonly a: Float32Array;
  /** B [out, r] */
  readonly b: Float32Array;
}

/** @throws DataError UNSUPPORTED, MISMATCH, MISSING, naming the tensor, before a number is read */
export async function readLoraTensors(
  checkpoint: Checkpoint,
  { r }: LoraConfig,
  modules: readonly LinearModule[],
  prefix: string,
): Promise<ReadPair[]> {
  const byName = new Map<string, LinearModule>();
  // A model without a head has its modules without the prefix.
  for (const module of modules) {
    byName.set(module.name, module);
    if (prefix !== "" && module.name.startsWith(prefix)) byName.set(module.name.slice(prefix.length), module);
  }
  const found = new Map<LinearModule, { path: string; A?: string; B?: string }>();
  for (const [name, { shape }] of checkpoint.tensors) {
    const [, path, letter] = NAME.exec(name) ?? [];
    if (path === undefined)
      throw notThis("UNSUPPORTED", "an adapter must hold lora_A and lora_B of linear maps alone", name);
    const module = byName.get(path);
    if (!module) throw notThis("MISMATCH", "every module of the adapter must be one of the model", path);
    const wanted = letter === "A" ? [r, module.into] : [module.out, r];
    if (shape.join() !== wanted.join())
      throw notThis("MISMATCH", `${name} must have shape [${wanted.join(", ")}]`, `[${shape.join(", ")}]`);
    found.set(module, { ...found.get(module), path, [letter!]: name });
  }
  if (found.size === 0) throw notThis("MISSING", "an adapter must hold a pair of matrices", "no tensor");
  const half = [...found].find(([, { A, B }]) => A === undefined || B === undefined);
  if (half)
    throw notThis(
      "MISSING",
      `${half[0].name} must have lora_A and lora_B`,
      `${half[1].A ?? half[1].B} alone`,
    );
  const pairs: ReadPair[] = [];
  for (const [module, { path, A, B }] of found)
    pairs.push({ module, path, a: await checkpoint.read(A!), b: await checkpoint.read(B!) });
  return pairs;
}
