import { dispose, engine, type Tensor } from "@tensorflow/tfjs-core";

/** TensorFlow.js frees what a tape saved when its gradients are there, and never if an error comes before: now. */
export function forgetTape(): void {
  const { state } = engine() as unknown as {
    state: { gradientDepth: number; activeTape: { saved: Tensor[] }[] | null };
  };
  if (state.gradientDepth > 0 || !state.activeTape) return;
  for (const { saved } of state.activeTape) dispose(saved);
  state.activeTape = null;
}
