import { escapeControls } from "./escape-controls.ts";

/** What went wrong, as a program may want to know it: one word for each thing that it would do something else about. */
export type ErrorCode =
  // Shapes and numbers that a call was given.
  | "RANK" // another number of axes
  | "DIMENSION" // two arguments that must agree in a letter
  | "SHAPE" // one argument of another shape, length or size
  | "HEADS" // query heads that are no multiple of key/value heads
  | "DTYPE" // another kind of numbers, or of array
  | "MASK" // a mask that hides what this mechanism cannot hide
  | "EMPTY_ROW" // a query that sees nothing, where that was to be an error
  // Options.
  | "OPTION" // a value out of its range, or no choice
  | "CONFLICT" // two options, or an option and a shape, that exclude each other
  | "UNKNOWN" // a key, name or option that is none
  // What a thing can do now.
  | "NOT_READY" // called before it was built, compiled or loaded
  | "UNSUPPORTED" // well formed, and not possible here
  | "GRADIENT" // a gradient that is not to be had, or is wrong
  | "NOT_FINITE" // NaN or infinite where a number was needed
  | "NOT_DISTRIBUTION" // weights that are no shares
  // Memory, workers and devices.
  | "MEMORY" // no room
  | "LIMIT" // asks for more than the limit that an option raises
  | "WORKER" // a thread that died, threw or never answered
  | "LOST" // a GPU device that went away; the next call asks for a new one
  | "FAULT" // heed's own; to be reported
  // Files and what they hold.
  | "UNREADABLE"
  | "UNWRITABLE"
  | "LOCKED" // another process is at it
  | "FORMAT" // not the format that was asked for
  | "DAMAGED" // cut off, or with a wrong checksum
  | "MISMATCH" // whole, and belongs to something else
  | "MISSING" // a data set, model or file that is not there
  // The net and the command line.
  | "DOWNLOAD"
  | "USAGE";

/** The sentence of an error, and whatever numbers a program may want: `op: rule, got …; remedy`. */
export interface Fault {
  /** The operation as its caller wrote it. */
  readonly op: string;
  /** What must hold, in the letters of the documentation, with the numbers. */
  readonly rule: string;
  /** What came instead. */
  readonly got: unknown;
  /** What to do about it. */
  readonly remedy: string;
  readonly [detail: string]: unknown;
}

const sentence = ({ op, rule, got, remedy }: Fault) => `${op}: ${rule}, got ${String(got)}; ${remedy}`;

/**
 * The root of every error that heed throws on purpose. Programs should read `code` and `details`; `message`
 * is the English sentence of the details.
 *
 * @example
 * try {
 *   throw new ShapeError("RANK", { op: "matMul", rule: "a must have rank 2", got: "shape [3]", remedy: "reshape it first" });
 * } catch (error) {
 *   if (error instanceof HeedError) console.log(error.code); // "RANK"
 * }
 */
export class HeedError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly details: Fault;

  constructor(code: C, details: Fault, options?: ErrorOptions) {
    super(escapeControls(sentence(details)), options);
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
/** A GPU device that was lost or refused what it was given. */
export class DeviceError<C extends ErrorCode> extends HeedError<C> {}
/** A download that failed. */
export class DownloadError<C extends ErrorCode> extends HeedError<C> {}
/** A command line that cannot be carried out as typed; the command prints it and exits with code 2. */
export class UsageError<C extends ErrorCode> extends HeedError<C> {}
