import type { Trace } from "../inspect/index.ts";
import type { ChosenHead } from "./layers.ts";
import { refuse } from "./named.ts";
import type { PageFigure, PictureOptions, TextOptions } from "./options.ts";

/** What a page can choose of a view: `step` is one glimpse, `steps` one of them or all, `width` that of the place. */
export type Choice = "layer" | "head" | "heads" | "query" | "step" | "steps" | "scale" | "through" | "width";

/** A rule that a trace keeps, or not. */
interface Suits {
  readonly rule: string;
  readonly isMet: (trace: Trace) => boolean;
  /** What the trace has instead. @default what it has at all */
  readonly got?: (trace: Trace) => string;
}

/** How many heads all layers have. */
export const headCount = ({ layers }: Trace): number => layers.reduce((sum, { H }) => sum + H, 0);

/** Of the views that show several heads. */
export const TWO_HEADS: Suits = {
  rule: "have two heads",
  isMet: (trace) => headCount(trace) > 1,
  got: (trace) => String(headCount(trace)),
};

/**
 * A view: all that heed knows of it. The commands, the elements, the page and docs/VIEWS.md are made from the list of
 * these in list.ts.
 */
export interface ViewRecord<Name extends string = string> {
  /** As `--view` and the option `view` take it. */
  readonly name: Name;
  /** On a tab. */
  readonly label: string;
  /** Above the picture on a page. */
  readonly title: string;
  /** What it shows, in one sentence. */
  readonly caption: string;
  /** What a trace must have. */
  readonly needs: readonly Need[];
  /** What makes a trace with all that worth the view. @default every one is */
  readonly suits?: Suits;
  readonly chooses: readonly Choice[];
  /** The picture; the trace has what the view needs. */
  readonly svg: (trace: Trace, options: PictureOptions) => string;
  /** The same in steps, where it takes seconds of a large trace. */
  readonly steps?: (trace: Trace, options: PictureOptions) => Generator<undefined, string, undefined>;
  /** The same for a terminal. @default it has none */
  readonly text?: (trace: Trace, options: TextOptions) => string;
  /** The map whose cells can be pixels. @default it has none */
  readonly cells?: (trace: Trace, options: PictureOptions) => ChosenHead & { readonly shown: string };
  /** Its still pictures on a page, which `draw` makes. @default none, for what the elements of a page draw themselves */
  readonly page?: (trace: Trace, options: PictureOptions, draw: Draw) => readonly PageFigure[];
  /** What docs/VIEWS.md shows of its example. */
  readonly example?: PictureOptions;
}

type Draw = (more?: PictureOptions) => string;

const NEEDS = {
  layers: {
    rule: "have a layer of attention: attn.0, or q.0, k.0 and lse.0",
    remedy: "capture one, or choose another view",
    isMet: ({ layers }: Trace) => layers.length > 0,
  },
  image: {
    rule: "have an image and its grid",
    remedy: "capture with both, or choose another view",
    isMet: ({ image, grid }: Trace) => image !== undefined && grid !== undefined,
  },
  glimpses: {
    rule: "have an image and a glimpse",
    remedy: "capture with both, or choose another view",
    isMet: ({ image, glimpses }: Trace) => image !== undefined && glimpses.length > 0,
  },
  gates: {
    rule: "have a gate: gate.name",
    remedy: "capture one, or choose another view",
    isMet: ({ gates }: Trace) => Object.keys(gates).length > 0,
  },
} as const;
export type Need = keyof typeof NEEDS;

/** Throws unless the trace has all that a view needs. */
export function checkNeeds({ name, needs }: Pick<ViewRecord, "name" | "needs">, trace: Trace): void {
  const missing = needs.find((need) => !NEEDS[need].isMet(trace));
  if (missing)
    refuse(`a trace for the view ${name}`, NEEDS[missing].rule, held(trace), NEEDS[missing].remedy);
}

/** Throws unless a trace is worth a view. */
export function checkSuits({ name, suits }: ViewRecord, trace: Trace): void {
  if (!suits || suits.isMet(trace)) return;
  const got = suits.got?.(trace) ?? held(trace);
  refuse(`a trace for the view ${name}`, suits.rule, got, "choose another view");
}

/** Whether a trace has what a view needs, and is worth it. */
export function isFor({ needs, suits }: ViewRecord, trace: Trace): boolean {
  return needs.every((need) => NEEDS[need].isMet(trace)) && (suits?.isMet(trace) ?? true);
}

/** What a trace has, in a few words. */
export function held({ layers, gates, glimpses, image }: Trace): string {
  const list = (n: number, noun: string) => (n === 0 ? [] : [`${n} ${noun}${n === 1 ? "" : "s"}`]);
  const parts = [
    ...list(layers.length, "layer"),
    ...list(Object.keys(gates).length, "gate"),
    ...list(glimpses.length, "glimpse"),
    ...(image ? ["an image"] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : "nothing";
}
