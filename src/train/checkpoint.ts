/**
 * Checkpoints that survive a kill at any moment.
 *
 *     folder/checkpoint-000001500.safetensors      numbered by step; the newest `keep` stay
 *
 * A save writes a temporary file in the same folder, flushes it to the disk, renames it (atomic) and flushes the
 * folder, so a name ever points at a whole file. Should the disk lose bytes all the same, a load notices: each
 * file holds the SHA-256 of itself, and a damaged one is skipped, by name and with the reason, for the one before.
 *
 * Each file is plain safetensors, which any reader of that format opens. Its metadata holds `state` (JSON) and
 * `sha256`: the digest of the file with those 64 digits written as zeros.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DataError, FileError } from "../core/errors.ts";
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from "../core/safetensors.ts";
import { requireWhole } from "./options.ts";

export interface CheckpointContent {
  tensors: Record<string, SafetensorsTensor>;
  /** Anything JSON holds; numbers must be finite, because JSON has no other. */
  state: unknown;
}
export interface Checkpoint extends CheckpointContent {
  step: number;
  path: string;
}
export interface SkippedCheckpoint {
  path: string;
  reason: string;
}

const NAME = /^checkpoint-(\d{9,})\.safetensors$/;
const TEMPORARY = /^\.checkpoint-\d+\.\d+\.tmp$/;
const NO_DIGEST = "0".repeat(64);

/**
 * @param folder made when missing; for one run at a time
 * @param step a whole number from 0; a checkpoint of the same step is replaced
 * @param content tensors (each type exactly as given) and state
 * @param options.keep how many checkpoints up to this step remain, from 1; default 2
 * @returns the path of the new file
 * @throws FileError `CHECKPOINT_FILE` when the folder cannot be written; checkpoints in it are as before
 *
 * @example
 * await saveCheckpoint("runs/fr", 1500, { tensors: { w: { dtype: "F32", shape: [3], data } }, state: { epoch: 2 } });
 */
export async function saveCheckpoint(
  folder: string,
  step: number,
  content: CheckpointContent,
  { keep = 2 }: { keep?: number } = {},
): Promise<string> {
  requireWhole("saveCheckpoint", "step", step, 0);
  requireWhole("saveCheckpoint", "keep", keep, 1);
  const bytes = encodeCheckpoint(content);
  const path = join(folder, `checkpoint-${String(step).padStart(9, "0")}.safetensors`);
  const temporary = join(folder, `.checkpoint-${step}.${process.pid}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await writeDurably(temporary, bytes);
    await rename(temporary, path);
    await flushFolder(folder);
    await tidy(folder, step, keep);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new FileError(
      "CHECKPOINT_FILE",
      { action: "written", path, reason: reasonOf(error) },
      { cause: error },
    );
  }
  return path;
}

/**
 * @param folder where `saveCheckpoint` wrote; a missing folder has no checkpoint
 * @returns the newest checkpoint that is whole, if any, and the newer ones that were passed over because they are not
 * @throws FileError `CHECKPOINT_FILE` when the folder cannot be listed
 *
 * @example
 * const { checkpoint, skipped } = await loadLatestCheckpoint("runs/fr");
 * for (const { path, reason } of skipped) console.error(`skipped ${path}: ${reason}`);
 */
export async function loadLatestCheckpoint(
  folder: string,
): Promise<{ checkpoint: Checkpoint | undefined; skipped: SkippedCheckpoint[] }> {
  const skipped: SkippedCheckpoint[] = [];
  for (const { step, path } of await list(folder)) {
    try {
      return { checkpoint: { step, path, ...decodeCheckpoint(await readFile(path)) }, skipped };
    } catch (error) {
      skipped.push({ path, reason: reasonOf(error) });
    }
  }
  return { checkpoint: undefined, skipped };
}

/** The whole file of one checkpoint. */
export function encodeCheckpoint({ tensors, state }: CheckpointContent): Uint8Array {
  const metadata = { sha256: NO_DIGEST, state: stateToJson(state) };
  const bytes = encodeSafetensors(tensors, metadata);
  bytes.set(new TextEncoder().encode(digest(bytes)), digestPlace(bytes)!);
  return bytes;
}

/** @throws DataError `SAFETENSORS` or `CHECKPOINT_SUM` when any byte is not as it was written */
export function decodeCheckpoint(file: Uint8Array): CheckpointContent {
  // The digits are zeroed in a copy, which the tensors then view. (`slice` of a Buffer would be the same bytes.)
  const bytes = new Uint8Array(file);
  const place = digestPlace(bytes);
  const written = place === undefined ? "none" : new TextDecoder().decode(bytes.subarray(place, place + 64));
  if (place !== undefined) bytes.fill(0x30, place, place + 64);
  const found = digest(bytes);
  if (written !== found) throw new DataError("CHECKPOINT_SUM", { written, found });
  const { tensors, metadata } = decodeSafetensors(bytes);
  return { tensors, state: JSON.parse(metadata.state ?? "null") };
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The writer puts metadata first and `sha256` first in it, so the digits stand at a known place. */
function digestPlace(bytes: Uint8Array): number | undefined {
  const lead = new TextEncoder().encode('{"__metadata__":{"sha256":"');
  const place = 8 + lead.length;
  return bytes.length >= place + 64 && lead.every((byte, i) => bytes[8 + i] === byte) ? place : undefined;
}

function stateToJson(state: unknown): string {
  const json = JSON.stringify(state, (name, value) => {
    // JSON would write null, and the run would go on from another number than it stopped at.
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new DataError("CHECKPOINT_STATE", { name, got: String(value) });
    }
    return value;
  });
  return json ?? "null";
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the rename itself durable. Windows cannot open a folder, and keeps its names in a journal. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what earlier, killed saves left and the oldest checkpoints. Later steps belong to another life: kept. */
async function tidy(folder: string, step: number, keep: number): Promise<void> {
  const old = (await list(folder)).filter((checkpoint) => checkpoint.step <= step).slice(keep);
  const left = (await readdir(folder))
    .filter((name) => TEMPORARY.test(name))
    .map((name) => join(folder, name));
  await Promise.all([...old.map(({ path }) => path), ...left].map((path) => rm(path, { force: true })));
}

/** Newest first. */
async function list(folder: string): Promise<{ step: number; path: string }[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    const details = { action: "listed", path: folder, reason: reasonOf(error) };
    throw new FileError("CHECKPOINT_FILE", details, { cause: error });
  }
  return names
    .flatMap((name) => {
      const digits = NAME.exec(name)?.[1];
      return digits ? [{ step: Number(digits), path: join(folder, name) }] : [];
    })
    .sort((a, b) => b.step - a.step);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
