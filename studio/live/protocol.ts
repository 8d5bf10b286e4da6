/** What a page and the worker that runs its models say to each other. */
import type { AtomMap } from "../../src/tasks/atom-mapping/mapper.ts";
import type { Caption } from "../../src/tasks/captioning/captioner.ts";
import type { FoundItem } from "../../src/tasks/detection/detector.ts";
import type { Summary } from "../../src/tasks/summarization/summarizer.ts";
import type { Translation } from "../../src/tasks/translation/translation.ts";
import type { AnsweredQuestion } from "../../src/tasks/visual-questions/answerer.ts";
import type { EffectsInput, EffectsOutput, OperateInput, OperateOutput } from "./operate-protocol.ts";
import type { ClassesInput, ClassesStep, ToyInput, ToyStep } from "./train-protocol.ts";

/** What reads a model's files: the shipped ones by their folder, or a published model that the reader opened. */
export type ModelKind =
  | "translation"
  | "summary"
  | "language-model"
  | "captions"
  | "detection"
  | "questions"
  | "atoms"
  | "pretrained"
  | "training";

/** A trace as the bytes of its file; undefined where there is nothing to look at. */
export interface Traced {
  readonly trace?: Uint8Array<ArrayBuffer> | undefined;
}

/** A picture of an answer as an SVG document. */
export interface Pictured extends Traced {
  readonly svg?: string | undefined;
}

export interface TranslateInput {
  readonly text: string;
  /** A language of the model. */
  readonly to: string;
  readonly beam: number;
}

export interface TranslateOutput extends Traced {
  readonly translation: Translation;
  /** Words at the end that were left out. */
  readonly cut: number;
}

export interface SummarizeOutput extends Traced {
  readonly summary: Summary;
}

export interface TextInput {
  readonly text: string;
  /** Tokens to go on with. */
  readonly add: number;
}

export interface TextOutput extends Traced {
  /** What the model writes next; undefined where it does not write. */
  readonly next?: string | undefined;
  /** Mean bits of a token of the text, of a model that writes. */
  readonly bits?: number | undefined;
  readonly tokens: readonly string[];
  /** Tokens at the beginning that were not read. */
  readonly cut: number;
}

export interface PictureInput {
  /** A PNG, a JPEG or whatever else the browser reads. */
  readonly picture: Blob;
  /** For questions. */
  readonly question?: string;
}

export interface PictureOutput extends Pictured {
  readonly caption?: Caption;
  readonly found?: readonly FoundItem[];
  readonly answered?: Pick<AnsweredQuestion, "answer" | "answers" | "unknown">;
  /** The picture as the model reads it, as a PNG. */
  readonly seen: Uint8Array<ArrayBuffer>;
  /** Whether dark and light were exchanged for the model. */
  readonly inverted: boolean;
}

export interface MapAtomsOutput extends Traced {
  readonly map: AtomMap;
}

/** What each act takes and gives. */
export interface Acts {
  translate: [TranslateInput, TranslateOutput];
  summarize: [{ readonly text: string; readonly beam: number }, SummarizeOutput];
  read: [TextInput, TextOutput];
  see: [PictureInput, PictureOutput];
  mapAtoms: [{ readonly text: string }, MapAtomsOutput];
  operate: [OperateInput, OperateOutput];
  effects: [EffectsInput, EffectsOutput];
  trainToy: [ToyInput, ToyStep];
  trainClasses: [ClassesInput, ClassesStep];
}

export type ActName = keyof Acts;
export type InputOf<A extends ActName> = Acts[A][0];
export type OutputOf<A extends ActName> = Acts[A][1];

/** What a page is told of a model that has been loaded. */
export interface ModelFacts {
  readonly acts: readonly ActName[];
  /** Threads that the kernels run on. */
  readonly threads: number;
  /** Of a translator: where it translates to. */
  readonly languages?: readonly string[];
  readonly layers?: number;
  readonly heads?: number;
  /** In words, of a model that was opened. */
  readonly description?: string;
}

export type Request = { readonly id: number } & (
  | { readonly do: "load"; readonly model: string; readonly kind: ModelKind; readonly address: string }
  | { readonly do: "open"; readonly model: string; readonly files: readonly File[] }
  | { readonly do: "run"; readonly model: string; readonly act: ActName; readonly input: unknown }
  | { readonly do: "stop"; readonly run: number }
);

export type Reply = { readonly id: number } & (
  | { readonly state: "progress"; readonly loaded: number; readonly total: number | undefined }
  | { readonly state: "loaded"; readonly facts: ModelFacts }
  | { readonly state: "step"; readonly output: unknown }
  | { readonly state: "done"; readonly output: unknown }
  | { readonly state: "failed"; readonly message: string }
);
