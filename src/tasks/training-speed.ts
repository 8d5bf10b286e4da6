/** How fast a training ran on a machine that did nothing else. */
export interface TrainingSpeed {
  machine: string;
  threads: number;
  secondsPerStep: number;
  /** Tokens or images. */
  itemsPerSecond: number;
  /** Time of a step in heed's own kernels, of all its time, in one thread. */
  kernelShare: number;
}
