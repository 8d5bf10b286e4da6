/** Fetches a model of a hub into the page: what it has and how large that is first, then each file, checked and kept. */
import { parseIndex } from "../../../src/checkpoints/sharded.ts";
import { DataError, DownloadError } from "../../../src/core/errors.ts";
import { isObject } from "../../../src/core/is-object.ts";
import type { WantedFile } from "../../../src/data/fetch-files.ts";
import { chooseFiles, INDEX } from "../../../src/tasks/pretrained/hub/choose.ts";
import {
  fileAddress,
  listingAddress,
  parseRepository,
  type Repository,
} from "../../../src/tasks/pretrained/hub/listing.ts";
import { sizeText } from "../../app/bytes-text.ts";
import type { Progress } from "../client.ts";
import { bytesOf, isSamePlace, keepFile, keepModel, keptFile, keptModels, titleOf } from "./kept-models.ts";
import type { HubPlace } from "./place.ts";

/** A page holds a model in memory twice while it is opened. In bytes. */
export const MOST_BYTES = 2 ** 30;
const MOST_LISTING = 16 * 2 ** 20;
/** Values of `model_type` that read text in this page. */
export const RUN_HERE: readonly string[] = [
  ...["bert", "roberta", "xlm-roberta", "albert", "distilbert"],
  ...["gpt2", "llama", "mistral", "qwen2"],
];
const OP = "studio";
const CONFIG = "config.json";

/** What a model has that a page needs of it. */
export interface Listing {
  readonly place: HubPlace;
  readonly commit: string;
  readonly licence: string | undefined;
  readonly files: readonly WantedFile[];
  readonly bytes: number;
  /** Whether the hub could not be asked, and all files are kept from before. */
  readonly isKept: boolean;
}

/**
 * What a hub says of a model; where it cannot be reached, what was kept of it.
 *
 * @throws DownloadError DOWNLOAD · DataError MISSING where there are no weights, LIMIT where they are too many, UNSUPPORTED
 */
export async function listModel(place: HubPlace, signal: AbortSignal): Promise<Listing> {
  let response: Response;
  try {
    response = await ask(place, listingAddress(place, place.name), signal);
  } catch (error) {
    const kept = (await keptModels()).find((one) => isSamePlace(one.place, place));
    if (!kept || !(error instanceof DownloadError) || error.details.status !== undefined) throw error;
    return { ...kept, licence: undefined, bytes: bytesOf(kept.files), isKept: true };
  }
  const bytes = new Uint8Array(await bytesOfBody(response, place, MOST_LISTING));
  const repository = parseRepository(bytes, listingAddress(place, place.name));
  const { commit, licence } = repository;
  const names = await wantedNames(place, repository, signal);
  const files = names.map((name) => repository.file(name));
  const total = bytesOf(files);
  if (total > MOST_BYTES)
    throw new DataError("LIMIT", {
      ...{ op: OP, rule: `${titleOf(place)} must have at most ${sizeText(MOST_BYTES)} to be run in a page` },
      ...{
        got: sizeText(total),
        remedy: `run "heed models fetch ${titleOf(place)}" and "heed look" instead`,
      },
    });
  return { place, commit, licence, files, bytes: total, isKept: false };
}

/** The names of the files that a page needs: those of the folder itself. */
async function wantedNames(
  place: HubPlace,
  repository: Repository,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { names, weights } = chosen(place, repository);
  if (weights !== INDEX) return names;
  const index = await fetchFile(place, repository.commit, repository.file(INDEX), signal, () => {});
  const shards = [...new Set(parseIndex(INDEX, await index.text()).values())];
  return [...names, ...shards];
}

function chosen(place: HubPlace, repository: Repository) {
  const { file, ...model } = place.name;
  const title = titleOf({ ...place, name: model });
  try {
    const { names, weights } = chooseFiles(title, repository, file);
    return { weights, names: names.filter((name) => !name.includes("/")) };
  } catch (error) {
    // A page has no flags: a file is named behind the model.
    const { details } = error as DataError<"MISSING">;
    const [one] = Array.isArray(details?.known) ? (details.known as string[]) : [];
    if (!(error instanceof DataError)) throw error;
    const remedy = one
      ? `name another file of weights, as ${title}/${one}`
      : "this is no model that heed reads";
    throw new DataError("MISSING", { ...details, op: OP, remedy } as ConstructorParameters<
      typeof DataError
    >[1]);
  }
}

/**
 * The files of a model: those that are kept from the cache, the others from the hub, the configuration first.
 *
 * @throws DownloadError DOWNLOAD, MISMATCH · DataError UNSUPPORTED for a model_type that does not run here, before its weights come
 */
export async function fetchListed(
  { place, commit, files }: Listing,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<File[]> {
  const total = bytesOf(files);
  const first = (file: WantedFile) => Number(file.name !== CONFIG);
  let loaded = 0;
  const found: File[] = [];
  for (const file of [...files].sort((a, b) => first(a) - first(b))) {
    const before = loaded;
    const blob = await fetchFile(place, commit, file, signal, (bytes) => {
      loaded = before + bytes;
      onProgress({ loaded, total });
    });
    loaded = before + file.bytes;
    onProgress({ loaded, total });
    if (file.name === CONFIG) checkType(place, await blob.text());
    found.push(new File([blob], file.name));
  }
  await keepModel({ place, commit, files });
  return found;
}

/** @throws DataError UNSUPPORTED */
function checkType(place: HubPlace, text: string): void {
  let type: unknown;
  try {
    const json: unknown = JSON.parse(text);
    type = isObject(json) ? json.model_type : undefined;
  } catch {
    // What reads the model says what is wrong with it.
  }
  if (typeof type !== "string" || RUN_HERE.includes(type)) return;
  throw new DataError("UNSUPPORTED", {
    ...{ op: OP, rule: `the model_type of ${titleOf(place)} must be one of ${RUN_HERE.join(", ")}` },
    ...{ got: JSON.stringify(type), remedy: "choose a model of one of these families" },
  });
}

async function fetchFile(
  place: HubPlace,
  commit: string,
  file: WantedFile,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<Blob> {
  const kept = await keptFile(place, commit, file);
  if (kept) return kept;
  const response = await ask(place, fileAddress(place, place.name, commit, file.name), signal);
  const bytes = await bytesOfBody(response, place, file.bytes, onBytes);
  const digest = await digestOf(bytes, file);
  const wanted = "sha256" in file ? file.sha256 : file.gitBlob;
  if (bytes.byteLength !== file.bytes || (digest !== undefined && digest !== wanted))
    throw new DownloadError("MISMATCH", {
      ...{ op: OP, rule: `${file.name} must be the file that the hub lists` },
      ...{ got: `${bytes.byteLength} bytes of another content`, remedy: "try again" },
    });
  const blob = new Blob([bytes]);
  await keepFile(place, commit, file.name, blob);
  return blob;
}

/** The digest of the kind that is listed; undefined where the page may not compute any. */
async function digestOf(bytes: ArrayBuffer, file: WantedFile): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle) return undefined;
  const isGit = !("sha256" in file);
  const header = new TextEncoder().encode(`blob ${bytes.byteLength}\0`);
  const data = isGit ? await new Blob([header, bytes]).arrayBuffer() : bytes;
  const digest = await crypto.subtle.digest(isGit ? "SHA-1" : "SHA-256", data);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @throws DownloadError DOWNLOAD, with `status` where something answered · DOMException AbortError */
async function ask(place: HubPlace, address: string, signal: AbortSignal): Promise<Response> {
  const host = new URL(place.endpoint).host;
  let response: Response;
  try {
    response = await fetch(address, { signal, credentials: "omit", referrerPolicy: "no-referrer" });
  } catch (cause) {
    if (signal.aborted) throw cause;
    const isOffline = navigator.onLine === false;
    const rule = `${host} must answer${isOffline ? "" : ", and let pages of other sites read it"}`;
    const got = isOffline ? "no network" : "nothing";
    const remedy = "check the connection; models that were fetched before open without it";
    throw new DownloadError("DOWNLOAD", { op: OP, rule, got, remedy }, { cause });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const { status, statusText } = response;
  const title = titleOf(place);
  const [rule, remedy] =
    status === 401 || status === 403
      ? [
          `${title} must be there and open to all`,
          `check the name; where it is private or has terms, accept them at ${host} and run "HF_TOKEN=… heed models fetch ${title}", then "heed studio ${title}"`,
        ]
      : status === 404
        ? [`${title} must be there`, `look for it at ${host}`]
        : [`${host} must answer`, "try again later"];
  const got = `${status} ${statusText}`.trim();
  throw new DownloadError("DOWNLOAD", { op: OP, rule, got, remedy, status });
}

/** The bytes of an answer. @throws DownloadError DOWNLOAD where it breaks off or has more than it may */
async function bytesOfBody(
  response: Response,
  place: HubPlace,
  most: number,
  onBytes: (bytes: number) => void = () => {},
): Promise<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const broken = (got: string, cause?: unknown) => {
    const rule = `${new URL(place.endpoint).host} must send the whole file`;
    return new DownloadError("DOWNLOAD", { op: OP, rule, got, remedy: "try again" }, { cause });
  };
  const reader = response.body!.getReader();
  for (;;) {
    let read: ReadableStreamReadResult<Uint8Array<ArrayBuffer>>;
    try {
      read = await reader.read();
    } catch (cause) {
      // A reader who has cancelled is told nothing.
      if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
      throw broken(`a line that broke off at ${sizeText(length)}`, cause);
    }
    if (read.done) break;
    parts.push(read.value);
    length += read.value.length;
    onBytes(length);
    if (length <= most) continue;
    await reader.cancel();
    throw broken("more than it said");
  }
  return new Blob(parts).arrayBuffer();
}
