/** Messages about worker threads. */
export const workerMessages = {
  WORKER_LOST: (d: { op: string; code: number }) =>
    `${d.op}: every worker thread must live until the run ends, got one that left with code ${d.code}; start again ` +
    "from the last checkpoint, with fewer threads if memory was short",
  WORKER_FAILED: (d: { op: string; message: string }) =>
    `${d.op}: every shard must give a gradient, got "${d.message}" from a worker thread; mend that and start again ` +
    "from the last checkpoint",
};
