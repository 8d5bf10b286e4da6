/** Counts the kernels of a backend that run from now on; returns how to ask. */
export function countKernels(
  /** @type {typeof import("@tensorflow/tfjs-core")} */ tf,
  /** @type {string} */ backendName,
) {
  /** @type {Map<string, number>} */
  const runs = new Map();
  // In place: registering them again would run their set-up functions again, or not at all.
  for (const config of tf.getKernelsForBackend(backendName)) {
    const { kernelName, kernelFunc } = config;
    runs.set(kernelName, 0);
    config.kernelFunc = (call) => {
      runs.set(kernelName, (runs.get(kernelName) ?? 0) + 1);
      return kernelFunc(call);
    };
  }
  return () => ({
    ran: [...runs].filter(([, n]) => n > 0).map(([name]) => name),
    idle: [...runs].filter(([, n]) => n === 0).map(([name]) => name),
  });
}
