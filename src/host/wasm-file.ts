/** TensorFlow.js' file for engines with SIMD, without threads. */
const NAME = "tfjs-backend-wasm-simd.wasm";

/**
 * Runs `start`, which loads TensorFlow.js' WebAssembly file, in pages and workers. Bundlers leave that file behind, and
 * TensorFlow.js then asks for it beside the page or the worker: there, and where an address that was set answers with something else, it
 * gets the copy that heed brings along. Node reads the file from the package by itself.
 */
export async function withWasmFile<T>(start: () => Promise<T>): Promise<T> {
  if (typeof process !== "undefined" && process.versions?.node) return start();
  if (typeof DecompressionStream === "undefined") return start();
  const { fetch } = globalThis;
  globalThis.fetch = async (request, options) => {
    const address = String(request instanceof Request ? request.url : request);
    const load = () => fetch.call(globalThis, request, options);
    if (!address.endsWith(NAME)) return load();
    if (address === NAME || address === besideWorker()) return (await ownFile()) ?? load();
    const response = await load().catch(() => undefined);
    return isFile(response) ? response! : ((await ownFile()) ?? response ?? load());
  };
  try {
    return await start();
  } finally {
    globalThis.fetch = fetch;
  }
}

/** Where TensorFlow.js looks in a worker, which has an address of its own. */
function besideWorker(): string | undefined {
  return typeof document === "undefined" ? new URL(NAME, globalThis.location.href).href : undefined;
}

/** Servers of one-page applications answer every address, with their page. */
function isFile(response: Response | undefined): boolean {
  return response?.ok === true && !response.headers.get("Content-Type")?.startsWith("text/html");
}

/** The copy, if it is of the version that asks. */
async function ownFile(): Promise<Response | undefined> {
  // Whoever starts the backend has loaded this package; importing it by name would register it for who does not.
  const { version_wasm } = await import("@tensorflow/tfjs-backend-wasm");
  const { VERSION, GZIPPED } = await import("../kernels/wasm/generated/tensorflow.ts");
  if (VERSION !== version_wasm) return undefined;
  const bytes = Uint8Array.from(atob(GZIPPED), (letter) => letter.charCodeAt(0));
  const file = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(file, { headers: { "Content-Type": "application/wasm" } });
}
