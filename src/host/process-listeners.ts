/** The listeners of Emscripten's Node glue, recognised by their text: each only throws on what it is given. */
const EMSCRIPTEN = /ExitStatus|^\s*function\s*\((\w+)\)\s*\{\s*throw \1;?\s*\}\s*$/;
const EVENTS = ["uncaughtException", "unhandledRejection"] as const;

/**
 * Runs `start`, then removes the process listeners that Emscripten's glue installed meanwhile. They rethrow every
 * error that the program did not catch, so that its stack names TensorFlow.js and the exit code is 7 instead of 1.
 */
export async function withoutListeners<T>(start: () => Promise<T>): Promise<T> {
  if (typeof process === "undefined" || typeof process.listeners !== "function") return start();
  const before = new Map(EVENTS.map((event) => [event, new Set<unknown>(process.listeners(event as never))]));
  try {
    return await start();
  } finally {
    for (const event of EVENTS) {
      for (const listener of process.listeners(event as never) as (() => void)[]) {
        if (before.get(event)!.has(listener) || !EMSCRIPTEN.test(String(listener))) continue;
        process.removeListener(event, listener);
      }
    }
  }
}
