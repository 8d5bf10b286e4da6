import { DataError } from "../core/errors.ts";

/** Bytes that are read in pieces, from a file, a Blob of a page, or memory. */
export interface ByteSource {
  /** What errors call it. */
  readonly name: string;
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`.
   *
   * @throws DataError DAMAGED where there are fewer
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Bytes in memory; what is read is a view of them.
 *
 * @example
 * const source = memoryBytes(Uint8Array.of(1, 2, 3), "three");
 * await source.read(1, 2); // Uint8Array [2, 3]
 */
export function memoryBytes(bytes: Uint8Array, name = "memory"): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(offset, length) {
      checkRange({ name, size: bytes.length }, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    async close() {},
  };
}

/** A file that a page was given, or what it fetched. Only what is asked for is read. */
export function blobBytes(blob: Blob & { readonly name?: string }, name = blob.name ?? "blob"): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange({ name, size: blob.size }, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    async close() {},
  };
}

/** @throws DataError DAMAGED */
export function checkRange(
  { name, size }: Pick<ByteSource, "name" | "size">,
  offset: number,
  length: number,
): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw damaged(name, `the file must have ${length} bytes at ${offset}`, `a file of ${size}`);
}

/** The error of a file that is cut off, or that no writer of its format made. */
export function damaged(name: string, rule: string, got: unknown): DataError<"DAMAGED"> {
  const shown = String(got);
  return new DataError("DAMAGED", {
    op: name,
    rule,
    got: shown.length > 80 ? `${shown.slice(0, 80)}…` : shown,
    remedy: "the file is cut off or damaged, download or write it again",
  });
}

/** The error of something that is well formed and that heed does not read. */
export function unsupported(
  name: string,
  rule: string,
  got: string,
  remedy: string,
): DataError<"UNSUPPORTED"> {
  return new DataError("UNSUPPORTED", { op: name, rule, got, remedy });
}
