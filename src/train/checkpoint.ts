/**
 * Checkpoints that survive a kill at any moment.
 *
 *     folder/checkpoint-000001500.safetensors      numbered by step; the newest `keep` stay
 *
 * A save writes a temporary file in the same folder, flushes it to the disk, renames it (atomic) and flushes the
 * folder, so a name ever points at a whole file. Should the disk lose bytes all the same, a load notices: each
 * file holds the SHA-256 of itself, and a damaged one is skipped, by name and with the reason, for the one before.
 *
 * Each file is plain safetensors, which any reader of that format opens. Its metadata holds `state` (JSON), `step`
 * and `sha256`: the digest of the file with those 64 digits written as zeros.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DataError, FileError, HeedError } from "../core/errors.ts";
import { escapeControls } from "../core/escape-controls.ts";
import { fileReason } from "../core/file-reason.ts";
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from "../core/safetensors.ts";
import { requireWhole } from "./options.ts";

export interface CheckpointContent {
  tensors: Record<string, SafetensorsTensor>;
  /** Anything JSON holds; numbers must be finite, because JSON has no other. */
  state: unknown;
}
export interface Checkpoint extends CheckpointContent {
  /** As the file says; its name says the same. */
  step: number;
  path: string;
}
export interface SkippedCheckpoint {
  path: string;
  reason: string;
}

const OP = "checkpoint";
const NAME = /^checkpoint-(\d{9,})\.safetensors$/;
const TEMPORARY = /^\.checkpoint-\d+\.\d+\.tmp$/;
const NO_DIGEST = "0".repeat(64);

/**
 * @param folder made when missing; for one run at a time
 * @param step a whole number from 0; a checkpoint of the same step is replaced
 * @param content tensors (each type exactly as given) and state
 * @param options.keep how many checkpoints up to this step remain, from 1; default 2
 * @returns the path of the new file
 * @throws FileError UNWRITABLE when the folder cannot be written; checkpoints in it are as before
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
  const bytes = encodeCheckpoint(content, step);
  const path = join(folder, `checkpoint-${String(step).padStart(9, "0")}.safetensors`);
  const temporary = join(folder, `.checkpoint-${step}.${process.pid}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await writeDurably(temporary, bytes);
    await rename(temporary, path);
    await flushFolder(folder);
    await removeOld(folder, step, keep);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new FileError("UNWRITABLE", fileFault("written", path, error), { cause: error });
  }
  return path;
}

/**
 * @param folder where `saveCheckpoint` wrote; a missing folder has no checkpoint
 * @returns the newest checkpoint that is whole, if any, and the newer ones that were passed over because they are not
 * @throws FileError UNREADABLE when the folder cannot be listed
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
      const read = decodeCheckpoint(await readFile(path));
      if (read.step !== step) throw renamed(step, read.step);
      return { checkpoint: { path, ...read }, skipped };
    } catch (error) {
      skipped.push({ path, reason: reasonOf(error) });
    }
  }
  return { checkpoint: undefined, skipped };
}

/** The whole file of one checkpoint. */
export function encodeCheckpoint({ tensors, state }: CheckpointContent, step: number): Uint8Array {
  const metadata = { sha256: NO_DIGEST, state: stateToJson(state), step: String(step) };
  const bytes = encodeSafetensors(tensors, metadata);
  bytes.set(new TextEncoder().encode(digest(bytes)), digestPlace(bytes)!);
  return bytes;
}

/** @throws DataError DAMAGED when any byte is not as it was written */
export function decodeCheckpoint(file: Uint8Array): CheckpointContent & Pick<Checkpoint, "step"> {
  // The digits are zeroed in a copy, which the tensors then view. (`slice` of a Buffer would be the same bytes.)
  const bytes = new Uint8Array(file);
  const place = digestPlace(bytes);
  const written = place === undefined ? "none" : new TextDecoder().decode(bytes.subarray(place, place + 64));
  if (place !== undefined) bytes.fill(0x30, place, place + 64);
  const found = digest(bytes);
  if (written !== found) {
    const rule = `the file must have the SHA-256 written in it, ${written}`;
    const remedy = "it is damaged, use the checkpoint before";
    throw new DataError("DAMAGED", { op: OP, rule, got: found, remedy });
  }
  const { tensors, metadata } = decodeSafetensors(bytes);
  const { step = "", state = "null" } = metadata;
  if (!/^\d{1,15}$/.test(step)) {
    const rule = "the file must say its step";
    const remedy = "use one that this heed wrote";
    throw new DataError("DAMAGED", { op: OP, rule, got: step || "none", remedy });
  }
  return { step: Number(step), tensors, state: JSON.parse(state) };
}

/** A file under another's name would make a run go on from a step that it never was at. */
function renamed(step: number, got: number): DataError<"MISMATCH"> {
  const rule = `the file must be of step ${step}, as its name says`;
  return new DataError("MISMATCH", { op: OP, rule, got, remedy: "give it back its name", step });
}

function fileFault(action: string, path: string, error: unknown) {
  const rule = `${path} must be a place that can be ${action}`;
  const remedy = "check the folder, its rights and the free space";
  return { op: OP, rule, got: fileReason(error), remedy, action, path };
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
      const rule = "every number of the state must be finite";
      const got = `${value} for "${name}"`;
      throw new DataError("NOT_FINITE", { op: OP, rule, got, remedy: "save null in its place", name });
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
async function removeOld(folder: string, step: number, keep: number): Promise<void> {
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
    throw new FileError("UNREADABLE", fileFault("listed", folder, error), { cause: error });
  }
  return names
    .flatMap((name) => {
      const digits = NAME.exec(name)?.[1];
      return digits ? [{ step: Number(digits), path: join(folder, name) }] : [];
    })
    .sort((a, b) => b.step - a.step);
}

const reasonOf = (error: unknown): string =>
  error instanceof HeedError ? error.message : escapeControls(fileReason(error));
