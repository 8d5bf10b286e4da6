import { serialization } from "@tensorflow/tfjs-core";

type LayerClass = serialization.SerializableConstructor<serialization.Serializable>;

/** Registers every class of these modules that has a `className`, so that saved models that hold one load. */
export function registerLayers(...modules: readonly Record<string, unknown>[]): void {
  for (const entry of modules.flatMap((module) => Object.values(module))) {
    if (typeof entry === "function" && "className" in entry) {
      serialization.registerClass(entry as unknown as LayerClass);
    }
  }
}
