/** What the hub says of a model: which commit its revision is, and the length and checksum of each file of it. */
import { DownloadError, OptionError } from "../../../core/errors.ts";
import { isObject } from "../../../core/is-object.ts";
import { jsonCost } from "../../../core/json-cost.ts";
import type { WantedFile } from "../../../data/fetch-files.ts";
import { type ModelName, modelTitle } from "../../../data/locate-model.ts";
import { checkAddress, type RequestOptions, Retry, refusedStatus, request } from "../../../data/request.ts";
import { type RetryOptions, withRetries } from "../../../data/retries.ts";

export const OP = "fetchModel";
const HUB = "https://huggingface.co";
const MOST_ANSWER = 16 * 2 ** 20;
const DEEPEST_JSON = 64;

/** How to ask a hub. */
export interface HubOptions extends RequestOptions, RetryOptions {
  /** Its address. @default the environment's HF_ENDPOINT, else https://huggingface.co */
  readonly endpoint?: string;
  /** Proves who asks, and is sent to that hub alone. @default the environment's HF_TOKEN, else none */
  readonly token?: string;
}

/** Options with the address and the token of the environment. */
export type Hub = Omit<HubOptions, "endpoint" | "secure"> & { readonly endpoint: string };

export interface Repository {
  readonly commit: string;
  readonly licence?: string;
  readonly names: ReadonlySet<string>;
  /** @throws DownloadError DOWNLOAD where the hub does not say its length and checksum */
  file(name: string): WantedFile;
}

/** @throws OptionError OPTION for a token that cannot be sent · DownloadError DOWNLOAD for an address that is none */
export function hubOf(options: HubOptions): Hub {
  const { HF_ENDPOINT, HF_TOKEN } = process.env;
  const { endpoint = HF_ENDPOINT, token = HF_TOKEN, ...others } = options;
  const given = token?.trim() || undefined;
  if (given !== undefined && !/^[\x21-\x7e]+$/.test(given)) {
    // What was given is a secret, whatever it is.
    const rule = "a token must be of letters, digits and signs alone";
    const fault = { op: OP, rule, got: "other characters", remedy: "set HF_TOKEN to the token itself" };
    throw new OptionError("OPTION", fault);
  }
  const secured = { ...others, secure: true, elsewhere: "set HF_ENDPOINT to a mirror" };
  const address = (endpoint?.trim() || HUB).replace(/\/+$/, "");
  checkAddress(address, secured);
  return { ...secured, endpoint: address, ...(given !== undefined && { token: given }) };
}

/** Where a file of a commit is. */
export function fileAddress({ endpoint }: Hub, { owner, name }: ModelName, commit: string, file: string) {
  const parts = [owner, name, "resolve", commit, ...file.split("/")];
  return `${endpoint}/${parts.map(encodeURIComponent).join("/")}`;
}

/**
 * Asks the hub for a revision of a model.
 *
 * @throws DownloadError DOWNLOAD
 */
export async function readRepository(hub: Hub, name: ModelName): Promise<Repository> {
  const revision = encodeURIComponent(name.revision ?? "main");
  const path = ["api", "models", name.owner, name.name, "revision", revision].join("/");
  const url = `${hub.endpoint}/${path}?blobs=true`;
  const wanted = {
    url,
    what: "what the hub says of the model",
    got: () => "nothing whole",
    again: "it begins again",
    details: () => ({}),
  };
  const bytes = await withRetries(wanted, hub, () =>
    request(url, { accept: "application/json" }, hub, (response, onBytes) =>
      readBody(url, response, hub, onBytes),
    ),
  );
  return parseRepository(bytes, url);
}

async function readBody(
  url: string,
  response: Response,
  hub: Hub,
  onBytes: (bytes: number) => void,
): Promise<Uint8Array> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw refusedStatus(url, response, hub);
  }
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of response.body ?? []) {
    onBytes(chunk.byteLength);
    chunks.push(chunk);
    received += chunk.byteLength;
    if (received > MOST_ANSWER) throw strange(url, `more than ${MOST_ANSWER} bytes`);
  }
  const length = Number(response.headers.get("content-length") ?? received);
  // Of a packed answer the length is another.
  if (received < length && response.headers.get("content-encoding") === null)
    throw new Retry(`the line was cut at byte ${received}`);
  return Buffer.concat(chunks);
}

function strange(url: string, got: string): DownloadError<"DOWNLOAD"> {
  const rule = "the hub must answer with its JSON of a model";
  const remedy = "set HF_ENDPOINT to a hub that has the interface of huggingface.co";
  return new DownloadError("DOWNLOAD", { op: OP, rule, got: `${got} from ${url}`, remedy, url });
}

function parseRepository(bytes: Uint8Array, url: string): Repository {
  const cost = jsonCost(bytes);
  if (cost.depth > DEEPEST_JSON) throw strange(url, `brackets more than ${DEEPEST_JSON} deep`);
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw strange(url, "text that is no JSON");
  }
  if (!isObject(answer)) throw strange(url, "another value");
  const { sha, siblings, cardData } = answer;
  if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha)) throw strange(url, "no commit");
  if (!Array.isArray(siblings)) throw strange(url, "no list of files");
  const licence = isObject(cardData) && typeof cardData.license === "string" ? cardData.license : undefined;
  const entries = new Map(siblings.map((entry) => [nameOf(entry, url), entry as Record<string, unknown>]));
  return {
    commit: sha,
    ...(licence && { licence: licence.slice(0, 60) }),
    names: new Set(entries.keys()),
    file: (name) => fileOf(name, entries.get(name) ?? {}, url),
  };
}

/** @throws DownloadError DOWNLOAD for a name that would leave the folder, which no file of git has */
function nameOf(entry: unknown, url: string): string {
  const name = isObject(entry) ? entry.rfilename : undefined;
  if (typeof name !== "string") throw strange(url, "a file without a name");
  const leaves = name.split(/[\\/]/).includes("..") || /^(?:[\\/]|[A-Za-z]:)/.test(name);
  if (leaves) throw strange(url, `a file named ${JSON.stringify(name)}`);
  return name;
}

function fileOf(name: string, entry: Readonly<Record<string, unknown>>, url: string): WantedFile {
  const { size, blobId, lfs } = entry;
  const sha256 = isObject(lfs) ? (lfs.sha256 ?? lfs.oid) : undefined;
  const bytes = isObject(lfs) ? (lfs.size ?? size) : size;
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0)
    throw strange(url, `no length of ${JSON.stringify(name)}`);
  const file = { name, bytes: bytes as number };
  if (typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256)) return { ...file, sha256 };
  if (sha256 === undefined && typeof blobId === "string" && /^[0-9a-f]{40}$/.test(blobId))
    return { ...file, gitBlob: blobId };
  throw strange(url, `no checksum of ${JSON.stringify(name)}`);
}

/** Why the hub does not let one read a model, where that is what its answer says; else the error as it came. */
export function hubRefusal(error: unknown, hub: Hub, name: ModelName): unknown {
  if (!(error instanceof DownloadError) || typeof error.details.status !== "number") return error;
  const { status, word, url } = error.details;
  const title = modelTitle(name);
  const page = `${hub.endpoint}/${title}`;
  const got = `${status}${word ? ` ${word}` : ""} for ${url}`;
  const fault = (rule: string, remedy: string) =>
    new DownloadError("DOWNLOAD", { ...error.details, op: OP, rule, got, remedy }, { cause: error });
  if (status === 401 || status === 403) {
    const remedy = hub.token
      ? `accept its terms at ${page} with the account of HF_TOKEN, or set a token that may read it`
      : `check the name; where it is private or has terms, accept them at ${page} and set HF_TOKEN`;
    return fault(`${title} must be there and open to you`, remedy);
  }
  if (status !== 404) return error;
  if (name.revision !== undefined)
    return fault(`${title} must be there, at revision ${name.revision}`, `see ${page}`);
  return fault(`${title} must be there`, `check the name, or see ${page}`);
}
