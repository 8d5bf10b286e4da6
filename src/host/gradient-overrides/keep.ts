import { type GradConfig, getGradient, registerGradient, unregisterGradient } from "@tensorflow/tfjs-core";

type Registry = Map<string, GradConfig>;

/** TensorFlow.js keeps its gradients in one map for all its copies. */
function registry(): Registry | undefined {
  return (globalThis as { _tfGlobals?: Map<string, unknown> })._tfGlobals?.get("gradRegistry") as
    | Registry
    | undefined;
}

/**
 * Registers gradients that stay. TensorFlow.js' own, which these replace, come with `@tensorflow/tfjs-layers` or
 * `@tensorflow/tfjs`, and these may be imported after heed: what they register for the same kernels is passed over.
 */
export function keepGradients(gradients: readonly GradConfig[]): void {
  const names = new Set(gradients.map(({ kernelName }) => kernelName));
  for (const gradient of gradients) {
    if (getGradient(gradient.kernelName)) unregisterGradient(gradient.kernelName);
    registerGradient(gradient);
  }
  const map = registry();
  if (!map) return;
  const set = map.set.bind(map);
  map.set = (name, config) => (names.has(name) ? map : set(name, config));
}
