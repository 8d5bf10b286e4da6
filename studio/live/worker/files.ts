/** The files of models as bytes, fetched with their progress or read from what a reader opened. */
import { CARD, VOCABULARY, WEIGHTS } from "../../../src/tasks/model-files.ts";
import type { ModelKind } from "../protocol.ts";

/** Models that name their classes in the card have no vocabulary. */
const WITHOUT_VOCABULARY: readonly ModelKind[] = ["detection"];
/** How often a page is told, in milliseconds. */
const TELL_MS = 50;

export type FileBytes = Record<string, Uint8Array<ArrayBuffer>>;

/**
 * Fetches a shipped model; the card first, so that a model that is not there fails at once.
 *
 * @throws Error with a message for the reader
 */
export async function fetchFiles(
  address: string,
  kind: ModelKind,
  onProgress: (loaded: number, total: number | undefined) => void,
): Promise<FileBytes> {
  if (kind === "training") return {};
  const names = [CARD, ...(WITHOUT_VOCABULARY.includes(kind) ? [] : [VOCABULARY]), WEIGHTS];
  const responses = await Promise.all(names.map((name) => ask(address, name)));
  const sizes = responses.map(sizeOf);
  const total = sizes.every((size) => size !== undefined)
    ? sizes.reduce((sum, size) => sum + size, 0)
    : undefined;
  let loaded = 0;
  let told = 0;
  const tell = (bytes: number) => {
    loaded += bytes;
    const now = performance.now();
    if (now - told < TELL_MS && loaded !== total) return;
    told = now;
    onProgress(loaded, total);
  };
  const read = await Promise.all(responses.map((response, n) => bytesOf(response, names[n]!, tell)));
  return Object.fromEntries(names.map((name, n) => [name, read[n]!]));
}

async function ask(address: string, name: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(name, address));
  } catch (cause) {
    throw new Error(`${name} of the model cannot be fetched; check the connection`, { cause });
  }
  // A server that answers what it lacks with its first page says text/html.
  const isPage = response.headers.get("content-type")?.startsWith("text/html") ?? false;
  if (response.ok && !isPage) return response;
  const reason = response.ok ? "a page instead" : `${response.status} ${response.statusText}`.trim();
  throw new Error(`${name} of the model is not there: ${reason}`);
}

/** The bytes that will come; unknown where they come compressed. */
function sizeOf({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? undefined : Number(length);
}

async function bytesOf(
  response: Response,
  name: string,
  tell: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  try {
    const reader = response.body!.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      tell(value.length);
    }
  } catch (cause) {
    throw new Error(`${name} of the model broke off; check the connection`, { cause });
  }
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The files that a reader opened, by their names without folders. */
export async function readFiles(files: readonly File[]): Promise<FileBytes> {
  const read = files.map(async (file) => [file.name, new Uint8Array(await file.arrayBuffer())] as const);
  return Object.fromEntries(await Promise.all(read));
}
