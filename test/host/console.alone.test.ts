import * as tf from "@tensorflow/tfjs-core";
import { expect, it, vi } from "vitest";

it("The heed backend says nothing on the console while it registers and starts", async () => {
  const spies = (["log", "warn", "error", "info"] as const).map((level) => vi.spyOn(console, level));
  await import("../../src/host/backend.ts");
  await tf.setBackend("heed");
  tf.tidy(() => tf.matMul(tf.ones([3, 5]), tf.ones([5, 7])).dataSync());
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});
