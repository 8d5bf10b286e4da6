/** A page's side of the service worker; without one, as in private windows, on addresses without https and in old browsers, the page is the same. */
import type { Message } from "./manifest.ts";

const WORKER = "service-worker.js";
/** The worker brings its files when the page has nothing else to do, and then at the latest, in milliseconds. */
const LATEST_MS = 4000;

/** The browser's, or undefined where it has none for this page: some have the name alone, and throw. */
function container(): ServiceWorkerContainer | undefined {
  try {
    return globalThis.isSecureContext ? navigator.serviceWorker : undefined;
  } catch {
    return undefined;
  }
}

/** When the page has loaded, and rests. */
async function idle(): Promise<void> {
  if (document.readyState !== "complete")
    await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
  await new Promise<void>((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(() => resolve(), { timeout: LATEST_MS });
    else setTimeout(resolve, LATEST_MS);
  });
}

/**
 * Lets the pages of this folder be kept for when there is no network.
 *
 * @param onNewer called when a newer version has come, with what loads it; pages that are open go on with theirs until then
 * @param folder where the worker lies, and below it the pages that are kept
 */
export async function keepPages(
  onNewer: (load: () => void) => void,
  folder = document.baseURI,
): Promise<void> {
  const workers = container();
  if (!workers) return;
  await idle();
  let wants = false;
  let isFirst = workers.controller === null;
  try {
    const registration = await workers.register(new URL(WORKER, folder));
    workers.addEventListener("controllerchange", () => {
      if (wants) location.reload();
      // Another tab has loaded it.
      else if (!isFirst) onNewer(() => location.reload());
      isFirst = false;
    });
    const tell = () => {
      const { waiting } = registration;
      if (!waiting || !workers.controller) return;
      onNewer(() => {
        wants = true;
        waiting.postMessage({ take: true } satisfies Message);
      });
    };
    tell();
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      installing?.addEventListener("statechange", () => installing.state === "installed" && tell());
    });
  } catch {
    // The browser keeps nothing for this page, or the server has no worker.
  }
}

/** Keeps what lies in these folders: a model that was loaded before the worker came to this page. */
export async function keepFolders(folders: readonly string[]): Promise<void> {
  const registration = await container()?.ready;
  registration?.active?.postMessage({ keep: folders } satisfies Message);
}

/** Whether the page comes from `heed studio`, which says so, and not from a server of files alone. */
export function isServedByHeed(): boolean {
  const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return page?.serverTiming?.some(({ name }) => name === "heed-studio") ?? false;
}
