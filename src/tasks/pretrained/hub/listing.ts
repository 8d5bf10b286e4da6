/** What a hub's answer about a model says, and where its files are: the same in a program and in a page. */
import { DownloadError } from "../../../core/errors.ts";
import { isObject } from "../../../core/is-object.ts";
import { jsonCost } from "../../../core/json-cost.ts";
import type { WantedFile } from "../../../data/fetch-files.ts";
import type { ModelName } from "../../../data/model-name.ts";

export const OP = "fetchModel";
/** The hub that is asked where nobody names another. */
export const HUB = "https://huggingface.co";
const DEEPEST_JSON = 64;

export interface Repository {
  readonly commit: string;
  readonly licence?: string;
  readonly names: ReadonlySet<string>;
  /** @throws DownloadError DOWNLOAD where the hub does not say its length and checksum */
  file(name: string): WantedFile;
}

/** Where a hub says what a model has, each file with its length and checksum. */
export function listingAddress(
  { endpoint }: { readonly endpoint: string },
  { owner, name, revision }: ModelName,
) {
  return `${endpoint}/api/models/${owner}/${name}/revision/${encodeURIComponent(revision ?? "main")}?blobs=true`;
}

/** Where a file of a commit is. */
export function fileAddress(
  { endpoint }: { readonly endpoint: string },
  { owner, name }: ModelName,
  commit: string,
  file: string,
) {
  const parts = [owner, name, "resolve", commit, ...file.split("/")];
  return `${endpoint}/${parts.map(encodeURIComponent).join("/")}`;
}

/** What is no answer of a hub. */
export function strange(url: string, got: string): DownloadError<"DOWNLOAD"> {
  const rule = "the hub must answer with its JSON of a model";
  const remedy = "set HF_ENDPOINT to a hub that has the interface of huggingface.co";
  return new DownloadError("DOWNLOAD", { op: OP, rule, got: `${got} from ${url}`, remedy, url });
}

/** @throws DownloadError DOWNLOAD for what is no answer of a hub */
export function parseRepository(bytes: Uint8Array, url: string): Repository {
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
