import { type Trace, writeTrace } from "../../../src/inspect/index.ts";

/**
 * A trace as bytes of its own, which can be handed to the page.
 *
 * Shapes: none; undefined stays undefined, where there was nothing to look at.
 */
export function traceBytes(trace: Trace | undefined): Uint8Array<ArrayBuffer> | undefined {
  return trace && ownBytes(writeTrace(trace));
}

/** Bytes in a buffer that nobody else reads: what is handed over is gone here. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** An error for a text that a model cannot take, in the words of the page. */
export function tooLong(what: string, most: number, got: number): Error {
  return new Error(`${what} may have ${most}, this one has ${got}; shorten it`);
}
