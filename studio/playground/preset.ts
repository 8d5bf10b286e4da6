import type { TraceInput } from "../../src/inspect/trace/trace.ts";
import type { Program } from "../call/call.ts";
import type { Grids, Values } from "./values.ts";

/** One stage of a mechanism, as a picture: a table of numbers or an image. */
export interface Stage {
  readonly title: string;
  /** What led here from the stage before, such as "÷ √D". */
  readonly step: string;
  readonly values: readonly (readonly number[])[];
  /** Which colours: weights from 0 to 1, numbers with a sign, or the grey of an image. */
  readonly colors: "weights" | "signed" | "image";
  /** What rows and columns count: t queries, s keys, c channels, y and x pixels. */
  readonly axes: readonly [rows: Axis, columns: Axis];
  /** The names of the columns. @default the axis and the number */
  readonly names?: readonly string[];
  /** The formula's terms that it belongs to. */
  readonly terms?: readonly string[];
}
export type Axis = "t" | "s" | "c" | "y" | "x" | "";

/** The answer of the program and what else the stages need, by path. */
export interface Preset {
  readonly name: string;
  readonly title: string;
  readonly family: Family;
  /** One plain sentence. */
  readonly about: string;
  /** The formula's lines, in the notation of math/parse.ts; `[key:…]` are its terms. */
  readonly formula: string;
  /** What each term means, and the controls or grids that it is linked to. */
  readonly terms: readonly Term[];
  readonly controls: readonly string[];
  /** The grids that can be edited. */
  readonly grids: readonly (keyof Grids)[];
  /** Values that it starts from, where they are others than the controls'. */
  readonly starts?: Values;
  program(values: Values, grids: Grids): Program;
  /** `shown` are the numbers of what the program shows, by name. */
  stages(context: StageContext): Stage[];
  /** The same as a picture of heed's elements: a view and the trace that it draws. */
  figure?(context: StageContext): Figure;
}

export interface Figure {
  readonly view: "glimpse" | "marginals" | "gates";
  readonly trace: TraceInput;
}

export interface StageContext {
  readonly values: Values;
  readonly grids: Grids;
  /** The program's answer. */
  readonly result: unknown;
}

export interface Term {
  readonly key: string;
  readonly says: string;
  readonly controls: readonly string[];
}

export const FAMILIES = [
  "Scores",
  "Soft and hard",
  "Who sees whom",
  "Layers",
  "Features",
  "Glimpses",
] as const;
export type Family = (typeof FAMILIES)[number];
