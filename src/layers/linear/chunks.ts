import { integer, optional } from "../base/index.ts";

/** The field of mechanisms that run in chunks where they are causal. */
export const chunks = {
  /** Positions of one chunk, where it is causal. @default that of the mechanism */
  chunkSize: optional(integer(1)),
};
