/** What a page asks the worker that runs written code, and what it answers: plain data, both ways. */
import type { Panel } from "../catalogue/panels.ts";
import type { ScoreAnswer, ScoreRequest } from "../score/protocol.ts";

/** Runs the code of a mechanism; the answer is what it draws. */
export interface MechanismRequest {
  readonly do: "mechanism";
  readonly text: string;
}

/** What the code draws, or why it does not; its options can be set either way. */
export interface MechanismAnswer {
  readonly options: readonly CodeOption[];
  readonly panels: readonly Panel[];
  /** The code as a program. */
  readonly code: string;
  readonly failure?: CodeFailure;
}

/** A number or a truth that code gives to a mechanism, and where it stands. */
export interface CodeOption {
  /** `topKAttention · k` */
  readonly label: string;
  readonly value: number | boolean;
  readonly start: number;
  readonly end: number;
}

export type CodeRequest = MechanismRequest | ScoreRequest;
export type AnswerTo<R extends CodeRequest> = R extends MechanismRequest ? MechanismAnswer : ScoreAnswer;

/** What is wrong with a text; lines count from 1. Without a line it is about the whole. */
export interface CodeFailure {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

export type CodeReply =
  | { readonly ready: true }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: CodeFailure };
