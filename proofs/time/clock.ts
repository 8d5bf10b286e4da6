/**
 * Milliseconds: of this process's processor time where that is known, so that waiting for a busy machine does not
 * count; other programs only add to what passes.
 */
export function clock(): number {
  const usage = globalThis.process?.cpuUsage?.();
  return usage ? (usage.user + usage.system) / 1000 : performance.now();
}
