/**
 * The most memory that a process holds that computes attention of 65 536 tokens, one head, forward and backward: a
 * process of its own, so that nothing else counts. `peakMemory` starts it.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { normals } from "./random.mjs";

const [T, D] = [65_536, 64];
export const MEMORY = "peak memory, T = 65 536";
const SELF = fileURLToPath(import.meta.url);

/** @returns {{ T: number, D: number, megabytes: number, seconds: number }} */
export function peakMemory() {
  return JSON.parse(execFileSync(process.execPath, [SELF], { encoding: "utf8" }));
}

if (process.argv[1] === SELF) {
  const { startHeed } = await import("./heed.mjs");
  const { attention, attentionBackward } = await startHeed({ threads: 1, build: "relaxed" });
  const [q, k, v, dout] = [1, 2, 3, 4].map((seed) => normals(T * D, seed));
  const begin = performance.now();
  const { saved } = attention(q, k, v, { B: 1, H: 1, T, S: T, D }, {});
  const { dq } = attentionBackward(dout, saved);
  const seconds = (performance.now() - begin) / 1e3;
  if (!dq.every(Number.isFinite)) throw new Error("memory: the gradients are not finite");
  // Kilobytes on every system that Node runs on.
  const megabytes = (process.resourceUsage().maxRSS * 1024) / 1e6;
  console.log(JSON.stringify({ T, D, megabytes, seconds }));
  // Threads that wait for work would keep the process alive.
  process.exit(0);
}
