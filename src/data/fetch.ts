import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { unzipSync } from "fflate";
import { DataError } from "../core/errors.ts";
import { isFileFailure } from "../core/file-reason.ts";
import { findDataset } from "./catalog.ts";
import { type Dataset, isFiles, type PairDataset, SPLITS, type Split } from "./dataset.ts";
import { download, type LineOptions } from "./download.ts";
import { fetchFiles, missingFiles } from "./fetch-files.ts";
import { cacheFolder, splitPath, unwritableCache } from "./locate.ts";
import { memberLookup } from "./membership.ts";
import { takePart, uniqueSuffix } from "./part.ts";
import { formatPairs, hashedOrder, rowsChecksum } from "./rows.ts";
import { checkSplit } from "./split.ts";
import { normalizeText } from "./text.ts";
import { parsePairs, readPairs, type SentencePair } from "./tsv.ts";

export interface FetchOptions
  extends Pick<
    LineOptions,
    "onProgress" | "signal" | "attempts" | "retryDelayMs" | "mostWaitMs" | "silenceMs" | "leastBytesPerSecond"
  > {
  /** Another address of the same bytes. @default the one of the catalogue */
  readonly url?: string;
  /** The folder that gets the data set's own folder. @default cacheFolder() */
  readonly cacheDir?: string;
}

export interface FetchResult {
  /** Holds ATTRIBUTION.md and train.tsv.gz, valid.tsv.gz, test.tsv.gz, or the files as they were published. */
  readonly folder: string;
  /** False when the data set was there already, row for row. */
  readonly fetched: boolean;
}

const OP = "fetchDataset";

/** The splits of an archive, checked row for row against the catalogue. */
export function buildSplits(dataset: PairDataset, archive: Uint8Array): Record<Split, SentencePair[]> {
  const bytes = unzipSync(archive, { filter: (file) => file.name === dataset.member })[dataset.member];
  if (bytes === undefined) {
    const { name, member } = dataset;
    const rule = `the archive of ${name} must contain ${member}`;
    throw new DataError("MISMATCH", { op: OP, rule, got: "none of that name", remedy: "please report this" });
  }
  const splitOf = memberLookup(dataset.membership);
  const splits: Record<Split, SentencePair[]> = { train: [], valid: [], test: [] };
  const seen = new Set<string>();
  for (const raw of parsePairs(new TextDecoder().decode(bytes), dataset.member)) {
    const pair = { source: normalizeText(raw.source), target: normalizeText(raw.target) };
    const split = splitOf(pair.source);
    const key = `${pair.source}\t${pair.target}`;
    if (split === undefined || seen.has(key)) continue;
    seen.add(key);
    splits[split as Split].push(pair);
  }
  for (const split of SPLITS) checkSplit(OP, dataset, split, splits[split]);
  return splits;
}

/**
 * Moves a finished folder to its place. Where there is a folder already (another run was first, or files are
 * missing) the files go into it one by one, each whole, and nothing else in it is touched.
 */
function install(from: string, folder: string): void {
  try {
    renameSync(from, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    for (const name of readdirSync(from)) renameSync(join(from, name), join(folder, name));
  }
}

function writeFolder(folder: string, dataset: PairDataset, splits: Record<Split, SentencePair[]>): void {
  const temporary = `${folder}.${uniqueSuffix()}.new`;
  try {
    mkdirSync(temporary);
    for (const split of SPLITS) {
      writeFileSync(
        splitPath(temporary, split),
        gzipSync(formatPairs(hashedOrder(splits[split])), { level: 9 }),
      );
    }
    writeFileSync(join(temporary, "ATTRIBUTION.md"), dataset.attribution);
    install(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function fetchInto(folder: string, dataset: Dataset, options: FetchOptions): Promise<void> {
  const { url = dataset.url } = options;
  if (isFiles(dataset)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "ATTRIBUTION.md"), dataset.attribution);
    await fetchFiles(folder, dataset.files, (name) => `${url.replace(/\/$/, "")}/${name}`, options);
    return;
  }
  const part = takePart(`${folder}.zip`);
  try {
    await download(part.path, { ...options, url, bytes: dataset.bytes, sha256: dataset.sha256 });
    writeFolder(folder, dataset, buildSplits(dataset, readFileSync(part.path)));
    rmSync(part.path);
  } finally {
    part.release();
  }
}

/** True when every split is there with the rows of the catalogue, or every file with its bytes. */
async function isWhole(folder: string, dataset: Dataset): Promise<boolean> {
  if (isFiles(dataset)) return (await missingFiles(folder, dataset.files)).length === 0;
  if (!SPLITS.every((split) => existsSync(splitPath(folder, split)))) return false;
  try {
    return SPLITS.every(
      (split) => rowsChecksum(readPairs(splitPath(folder, split))) === dataset.splits[split].sha256,
    );
  } catch (error) {
    if (error instanceof DataError) return false;
    throw error;
  }
}

/** `fetchDataset` for a data set that need not be in the catalogue. */
export async function installDataset(dataset: Dataset, options: FetchOptions = {}): Promise<FetchResult> {
  const parent = options.cacheDir ?? cacheFolder();
  const folder = join(parent, dataset.name);
  if (await isWhole(folder, dataset)) return { folder, fetched: false };
  try {
    mkdirSync(parent, { recursive: true });
    await fetchInto(folder, dataset, options);
  } catch (cause) {
    throw isFileFailure(cause) ? unwritableCache(OP, parent, cause) : cause;
  }
  return { folder, fetched: true };
}

/**
 * Fetches a data set from its public source into the cache, once: download (resumed where an earlier run stopped),
 * check the archive's sha256, cut it into the same splits that heed's models were trained on, prove that by a
 * checksum over each split's rows, and only then move the folder to its place. Data sets that are kept as they were
 * published come file by file, each checked by its sha256. What is there already is checked in the same way, and fetched
 * again where it is wrong. Runs at the same time do not disturb each other.
 *
 * @param name one of `listDatasets()`
 * @throws OptionError UNKNOWN; DownloadError DOWNLOAD, MISMATCH; DataError MISMATCH; FileError UNREADABLE, UNWRITABLE
 * @example
 * const { folder } = await fetchDataset("tatoeba-en-fr", {
 *   onProgress: ({ received, total }) => console.error(`${received} of ${total} bytes`),
 * });
 */
export async function fetchDataset(name: string, options: FetchOptions = {}): Promise<FetchResult> {
  return installDataset(findDataset(OP, name), options);
}
