/**
 * The service worker: keeps the pages of one version, and the models that were used, for when there is no network.
 *
 * A version is brought whole, every file checked by its digest, or not at all; it takes the place of an older one once no page
 * of that is open, or the reader says so. Pages of `heed studio` come from its server as long as that answers: who runs a
 * program on this machine wants that program, not what a browser remembers of it.
 */
import { rangeOf } from "../../src/cli/studio/byte-range.ts";
import { Caches, DIGITS, type Message, type OfflineManifest, placeOf } from "./manifest.ts";

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface ServiceWorkerScope {
  readonly heedOffline: OfflineManifest;
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(type: "message", listener: (event: ExtendableEvent & MessageEvent) => void): void;
}

const worker = globalThis as unknown as ServiceWorkerScope;
const manifest = worker.heedOffline;
const { scope } = worker.registration;
const names = new Caches(scope, manifest.version);
const addressOf = (place: string) => new URL(place, scope).href;
const INDEX = "index.html";
/** On what is kept: its digest; and of pages that `heed studio` served, that it did. */
const DIGEST = "X-Heed-Digest";
const FROM_STUDIO = "X-Heed-Studio";
/** How `heed studio` says that it is it. */
const STUDIO = "heed-studio";
/** Files that are brought at a time. */
const AT_ONCE = 6;
/** Names with a hash in them mean one content for ever. */
const HASHED = /-[\w-]{8}\.\w+$/;

const isStudio = (response: Response) => response.headers.get("server-timing")?.includes(STUDIO) ?? false;

async function digestOf(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .slice(0, DIGITS);
}

/** A response as it is kept: the headers of its page stay, such as those of isolation, but not what was said of its transfer. */
function keepable(response: Response, bytes: BodyInit, digest: string): Response {
  const headers = new Headers(response.headers);
  if (isStudio(response)) headers.set(FROM_STUDIO, "1");
  for (const name of ["server-timing", "content-encoding", "content-length"]) headers.delete(name);
  headers.set(DIGEST, digest);
  return new Response(bytes, { headers });
}

/** Puts a file of the shell into its cache. @throws Error where it is not the one that was built */
async function bring(cache: Cache, place: string): Promise<void> {
  const address = addressOf(place);
  const wanted = manifest.shell[place]!;
  // What an older version has, byte for byte, need not come again.
  const before = await caches.match(address, { ignoreVary: true });
  if (before?.headers.get(DIGEST) === wanted) return cache.put(address, before);
  const response = await fetch(address, { cache: HASHED.test(place) ? "default" : "no-cache" });
  const bytes = await response.arrayBuffer();
  if (!response.ok || (await digestOf(bytes)) !== wanted)
    throw new Error(`${place} is not of version ${manifest.version}`);
  await cache.put(address, keepable(response, bytes, wanted));
}

async function install(): Promise<void> {
  const cache = await caches.open(names.shell);
  const places = Object.keys(manifest.shell);
  try {
    const lane = async () => {
      for (let place = places.pop(); place !== undefined; place = places.pop()) await bring(cache, place);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } catch (error) {
    await caches.delete(names.shell);
    throw error;
  }
  // Its pages come from the server: there is nothing of two versions to be mixed.
  if (await isOfStudio()) await worker.skipWaiting();
}

async function activate(): Promise<void> {
  for (const name of names.others(await caches.keys())) await caches.delete(name);
  const kept = await caches.open(names.kept);
  for (const request of await kept.keys()) {
    const digest = manifest.kept[placeOf(scope, request.url) ?? ""];
    const response = await kept.match(request, { ignoreVary: true });
    if (digest === undefined || response?.headers.get(DIGEST) !== digest) await kept.delete(request);
  }
  await worker.clients.claim();
}

const fromShell = async (place: string) =>
  (await caches.open(names.shell)).match(addressOf(place), { ignoreVary: true });

let ofStudio: Promise<boolean> | undefined;

/** Whether the pages were brought from `heed studio`. */
function isOfStudio(): Promise<boolean> {
  ofStudio ??= fromShell(INDEX).then((page) => page?.headers.has(FROM_STUDIO) ?? false);
  return ofStudio;
}

/** The part of a kept file that a request asks for. */
async function partOf(response: Response, request: Request): Promise<Response> {
  const header = request.headers.get("range");
  if (header === null) return response;
  const blob = await response.blob();
  const range = rangeOf(header, blob.size);
  const headers = new Headers(response.headers);
  if (range === undefined) return new Response(blob, { headers });
  if (range === "none") {
    headers.set("Content-Range", `bytes */${blob.size}`);
    return new Response(null, { status: 416, headers });
  }
  const [first, last] = range;
  headers.set("Content-Range", `bytes ${first}-${last}/${blob.size}`);
  return new Response(blob.slice(first, last + 1), { status: 206, headers });
}

/** Keeps a whole answer, while the page reads it; what has another digest, does not fit, or breaks off, is not kept. */
function keep(event: ExtendableEvent, cache: string, address: string, response: Response, digest: string) {
  const copy = response.clone();
  const work = async () => {
    const bytes = await copy.arrayBuffer();
    if (digest !== "" && (await digestOf(bytes)) !== digest) return;
    await (await caches.open(cache)).put(address, keepable(copy, bytes, digest));
  };
  event.waitUntil(work().catch(() => {}));
}

/** A program of another kind answers here now: these pages let go of its address. */
async function leave(): Promise<void> {
  await worker.registration.unregister();
  for (const name of names.own(await caches.keys())) await caches.delete(name);
}

async function answer(event: FetchEvent, place: string): Promise<Response> {
  const { request } = event;
  const isKept = manifest.kept[place] !== undefined;
  const isShell = manifest.shell[place] !== undefined;
  const cache = isKept ? names.kept : names.shell;
  const address = addressOf(place);
  const digest = manifest.kept[place] ?? "";
  const stored = async () => {
    const found = await (await caches.open(cache)).match(address, { ignoreVary: true });
    const isSame = !isKept || found?.headers.get(DIGEST) === digest;
    return found && isSame ? partOf(found, request) : undefined;
  };
  const fetched = async () => {
    const response = await fetch(request);
    const isWhole = response.status === 200 && !request.headers.has("range");
    if (isWhole && !isShell && (isKept || manifest.keepsOthers))
      keep(event, cache, address, response, digest);
    return response;
  };
  if (!(await isOfStudio())) return (await stored()) ?? fetched();
  try {
    const response = await fetched();
    if (request.mode === "navigate" && !isStudio(response)) event.waitUntil(leave());
    return response;
  } catch (error) {
    const found = await stored();
    if (found) return found;
    throw error;
  }
}

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("message", (event) => {
  const asked = event.data as Message;
  if (asked.take) event.waitUntil(worker.skipWaiting());
  for (const folder of asked.keep ?? []) event.waitUntil(keepFolder(event, folder));
});

/** Keeps the files of a folder that a page has read before this worker came to it. */
async function keepFolder(event: ExtendableEvent, folder: string): Promise<void> {
  const places = Object.keys(manifest.kept).filter((place) => addressOf(place).startsWith(folder));
  const kept = await caches.open(names.kept);
  for (const place of places) {
    const digest = manifest.kept[place]!;
    const found = await kept.match(addressOf(place), { ignoreVary: true });
    if (found?.headers.get(DIGEST) === digest) continue;
    // What does not come now is kept at its next use.
    const response = await fetch(addressOf(place)).catch(() => undefined);
    if (response?.status === 200) keep(event, names.kept, addressOf(place), response, digest);
  }
}

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const place = placeOf(scope, request.url);
  if (request.method !== "GET" || place === undefined) return;
  if (manifest.never.some((folder) => place.startsWith(folder))) return;
  const isOurs = manifest.shell[place] !== undefined || manifest.kept[place] !== undefined;
  if (isOurs || manifest.keepsOthers || request.mode === "navigate") event.respondWith(answer(event, place));
});
