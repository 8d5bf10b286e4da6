import type { Progress } from "../train/progress.ts";

/** What every task's training takes. */
export interface RunOptions<Recipe> {
  recipe: Recipe;
  /** Folder of the data set. */
  dataDir: string;
  /** Folder of the checkpoints; a run goes on from the newest one in it. */
  runDir: string;
  /** Folder that gets the finished model. */
  outDir: string;
  /** The command that was typed, for the card. */
  command: string;
  /** Shards computed at once; the numbers do not depend on it. */
  threads?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

const CHECKPOINT_SECONDS = 120;

/** What its options and its recipe say of a run to `trainLoop`: when to look and to give up, where to save, whom to tell. */
export function loopOptions({
  recipe: { evaluateEvery, patience },
  runDir,
  progress,
  signal,
}: Pick<
  RunOptions<{ evaluateEvery: number; patience: number }>,
  "recipe" | "runDir" | "progress" | "signal"
>) {
  return {
    evaluateEvery,
    earlyStopping: { patience },
    checkpoint: { folder: runDir, everySeconds: CHECKPOINT_SECONDS },
    ...(progress && { progress }),
    ...(signal && { signal }),
  };
}
