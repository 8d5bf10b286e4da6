/**
 * One run for each folder: a file `.lock` in it says who writes there.
 *
 *     {"pid": 4711, "host": "atlas", "since": "2026-11-30T08:00:00.000Z"}
 *
 * The file of a process that is gone is taken over; whether one of another machine is gone cannot be seen from here, so
 * it holds until somebody removes it.
 */
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { isAlive } from "../data/part.ts";

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

/** Locks that this process holds: its own number in a file that it does not hold was another's before it. */
const held = new Set<string>();

/**
 * Takes the lock of a folder, which is made when missing.
 *
 * @returns a function that gives it back
 * @throws FileError LOCKED, which names the other process, UNWRITABLE
 * @example
 * const release = await lockFolder("trainLoop", "runs/fr");
 * await release();
 */
export async function lockFolder(op: string, folder: string): Promise<() => Promise<void>> {
  const path = pathIn(folder);
  try {
    await mkdir(folder, { recursive: true });
    // The second try follows the removal of a lock that its process has left behind.
    if (!(await take(path))) {
      await removeStale(op, folder, path);
      if (!(await take(path))) throw locked(op, folder, path, "another process that was faster");
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    const rule = `${folder} must be a folder that can be written`;
    const remedy = "check its rights and the free space, or choose another one";
    throw new FileError("UNWRITABLE", { op, rule, got: fileReason(error), remedy, path }, { cause: error });
  }
  held.add(path);
  return async () => {
    held.delete(path);
    await rm(path, { force: true });
  };
}

/**
 * Throws what `lockFolder` would, without taking the lock: before work that would be for nothing.
 *
 * @throws FileError LOCKED
 */
export async function checkUnlocked(op: string, folder: string): Promise<void> {
  const path = pathIn(folder);
  if (existsSync(path)) await removeStale(op, folder, path);
}

const pathIn = (folder: string): string => resolve(join(folder, ".lock"));

/** False where there is a lock already. */
async function take(path: string): Promise<boolean> {
  const owner: Owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  try {
    const file = await open(path, "wx");
    await file.writeFile(JSON.stringify(owner)).finally(() => file.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function removeStale(op: string, folder: string, path: string): Promise<void> {
  const owner = await readOwner(path);
  if (!owner) throw locked(op, folder, path, "a lock that does not say whose it is");
  const { pid, host, since } = owner;
  const isHere = host === hostname();
  const isMine = isHere && pid === process.pid;
  if (isHere && (isMine ? !held.has(path) : !isAlive(pid))) return rm(path, { force: true });
  const who = isMine ? "this process" : `process ${pid}${isHere ? "" : ` on ${host}`}`;
  throw locked(op, folder, path, `${who}, since ${since}`, owner);
}

function locked(op: string, folder: string, path: string, got: string, owner?: Owner): FileError<"LOCKED"> {
  const rule = `one run at a time must write to ${folder}`;
  const remedy = `wait for it, choose another folder, or remove ${path} where it is gone`;
  return new FileError("LOCKED", { op, rule, got, remedy, path, ...owner });
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const { pid, host, since } = JSON.parse(await readFile(path, "utf8")) as Partial<Owner>;
    const isWhole = Number.isSafeInteger(pid) && pid! > 0 && typeof host === "string";
    return isWhole ? { pid: pid!, host: host.slice(0, 100), since: String(since).slice(0, 40) } : undefined;
  } catch {
    return undefined;
  }
}
