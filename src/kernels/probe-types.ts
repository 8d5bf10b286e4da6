/** What can be asked of the weights of a call, and what is answered (probe.ts says what each is). */
import type { FloatArray } from "./layout.ts";

/** What to find out. */
export interface ProbeRequest {
  /** Queries, from 0 to T − 1, whose rows of weights are wanted for every head. */
  rows?: readonly number[];
  /** At most so many rows and columns of tiles: never more than T and S, so that each holds a weight. */
  tiles?: readonly [rows: number, columns: number];
  /** The side of blocks whose largest weights are wanted, an integer ≥ 1: a map for the eye, where no hot cell is lost. */
  blockMax?: number;
  /** How many of the largest weights of each query; an integer ≥ 1. */
  topK?: number;
  max?: true;
  entropy?: true;
  distance?: true;
  columnMass?: true;
  sinkMass?: true;
}

/** Answers by the names of the request. */
export interface Probes<A extends FloatArray> {
  /** The queries asked for, and their weights [B, H, queries, S]. */
  rows: { index: readonly number[]; weights: A };
  /** A map of the weights: [B, H, rows, columns] means. */
  tiles: { rows: number; columns: number; means: A };
  /** [B, H, ⌈T/n⌉, ⌈S/n⌉]; NaN where a weight of the block is. */
  blockMax: { rows: number; columns: number; weights: A };
  /** [B, H, T, k] both; key −1 and weight 0 where fewer than k keys have a weight above 0. */
  topK: { indices: Int32Array; weights: A };
  /** [B, H, T] both; key −1 and weight 0 where no key has a weight above 0. */
  max: { weight: A; key: Int32Array };
  /** [B, H, T] */
  entropy: A;
  /** [B, H, T] */
  distance: A;
  /** [B, H, S] */
  columnMass: A;
  /** [B, H, T]; 0 without a sink, 1 in rows that see nothing else. */
  sinkMass: A;
}

/** What was asked for is there. */
export type ProbeResult<A extends FloatArray, R extends ProbeRequest> = {
  [Name in keyof R & keyof Probes<A>]: undefined extends R[Name]
    ? Probes<A>[Name] | undefined
    : Probes<A>[Name];
};
