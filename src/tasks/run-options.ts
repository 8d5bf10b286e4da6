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
