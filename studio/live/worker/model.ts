import type { ActName, InputOf, ModelFacts, OutputOf } from "../protocol.ts";

/** What a run that takes long tells between its steps, and is told. */
export interface RunContext {
  /** Sends what there is, and lets messages in. */
  step(output: unknown): Promise<void>;
  /** Whether the reader wants no more. */
  readonly isStopped: boolean;
}

export type Act<A extends ActName> = (
  input: InputOf<A>,
  context: RunContext,
) => OutputOf<A> | Promise<OutputOf<A>>;

/** A model that has been loaded, and what it can do. */
export interface LiveModel {
  readonly facts: Omit<ModelFacts, "acts" | "threads">;
  readonly acts: { readonly [A in ActName]?: Act<A> };
  dispose(): void;
}
