import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * The file that a download grows in. Each run writes to one of its own, `<file>.<pid>-<n>.part`, so two runs never
 * write to the same; a run that stops leaves `<file>.part`, free for the next one to take. Taking is a rename, which
 * only one run can win. The part of a killed run is free too. (A process of another machine with a shared cache
 * looks dead from here; then the checksum of the whole file is what protects.)
 */
export interface Part {
  readonly path: string;
  /** Leaves what is there to the next run. */
  release(): void;
}

let parts = 0;

/** A suffix that no other run has. */
export const uniqueSuffix = (): string => `${process.pid}-${parts++}`;

/** Whether this machine runs a process of that number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function freeParts(file: string): string[] {
  const prefix = `${basename(file)}.`;
  return readdirSync(dirname(file))
    .filter((name) => {
      if (!name.startsWith(prefix) || !name.endsWith(".part")) return false;
      const owner = /^(\d+)-\d+\.part$/.exec(name.slice(prefix.length));
      return owner === null ? name === `${prefix}part` : !isAlive(Number(owner[1]));
    })
    .map((name) => join(dirname(file), name));
}

function tryRename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Bytes in a file, 0 when there is none. */
export function bytesIn(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Bytes that the next run goes on from. */
export function bytesInPart(file: string): number {
  return existsSync(dirname(file)) ? Math.max(0, ...freeParts(file).map(bytesIn)) : 0;
}

/** Takes over the longest free part of `file`, or starts one (the file itself appears with the first byte). */
export function takePart(file: string): Part {
  const path = `${file}.${uniqueSuffix()}.part`;
  const longestFirst = freeParts(file).sort((a, b) => bytesIn(b) - bytesIn(a));
  const taken = longestFirst.find((free) => tryRename(free, path));
  for (const other of longestFirst) if (other !== taken) rmSync(other, { force: true });
  return { path, release: () => void tryRename(path, `${file}.part`) };
}
