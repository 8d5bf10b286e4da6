import { english, type Messages } from "./english/index.ts";

/** A stable name for one kind of failure; `details` carries its numbers. */
export type ErrorCode = keyof Messages;
export type ErrorDetails<C extends ErrorCode> = Parameters<Messages[C]>[0];

/**
 * The root of every error that heed throws on purpose. Programs should read `code` and `details`; `message`
 * is English made from them (core/english).
 *
 * @example
 * try {
 *   throw new ShapeError("RANK", { op: "matMul", name: "a", rank: "2", shape: [3] });
 * } catch (error) {
 *   if (error instanceof HeedError) console.log(error.code); // "RANK"
 * }
 */
export class HeedError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly details: ErrorDetails<C>;

  constructor(code: C, details: ErrorDetails<C>, options?: ErrorOptions) {
    super((english[code] as (details: ErrorDetails<C>) => string)(details), options);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** Shapes that disagree with each other or with the operation. */
export class ShapeError<C extends ErrorCode> extends HeedError<C> {}
/** An option outside its range, or two options that exclude each other. */
export class OptionError<C extends ErrorCode> extends HeedError<C> {}
/** The WebAssembly heap is full. */
export class MemoryError<C extends ErrorCode> extends HeedError<C> {}
/** File contents that are not what they should be: cut off, wrong checksum, wrong format. */
export class DataError<C extends ErrorCode> extends HeedError<C> {}
/** A file that cannot be found, read or written. */
export class FileError<C extends ErrorCode> extends HeedError<C> {}
/** A worker thread that died or threw. */
export class WorkerError<C extends ErrorCode> extends HeedError<C> {}
/** A download that failed. */
export class DownloadError<C extends ErrorCode> extends HeedError<C> {}
/** A command line that cannot be carried out as typed; the command prints it and exits with code 2. */
export class UsageError<C extends ErrorCode> extends HeedError<C> {}
