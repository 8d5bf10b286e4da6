/** A child process for checkpoint.test.ts: saves step after step until it is killed, and prints each step saved. */
import { loadLatestCheckpoint, saveCheckpoint } from "../../../src/train/checkpoint.ts";

const folder = process.argv[2]!;
const { checkpoint } = await loadLatestCheckpoint(folder);
for (let step = (checkpoint?.step ?? 0) + 1; ; step++) {
  const data = new Float32Array(100_003).fill(step);
  await saveCheckpoint(folder, step, {
    tensors: { w: { dtype: "F32", shape: [100_003], data } },
    state: { step },
  });
  process.stdout.write(`${step}\n`);
}
