import type { Trace } from "../../src/inspect/trace/trace.ts";
import { isServedByHeed } from "../offline/register.ts";
import type { CheckpointFacts } from "./checkpoint-facts.ts";
import {
  type NamedFile,
  openedPlaces,
  type StudioDocument,
  shippedDocuments,
  traceDocument,
} from "./documents.ts";

export const LIVE = "live";

/** A model that was opened. */
export interface OpenedModel {
  readonly facts: CheckpointFacts;
  readonly files: readonly NamedFile[];
}

/** What opening files has come to. */
export interface Outcome {
  /** The document to show, where there is one. */
  readonly first: StudioDocument | undefined;
  readonly model: OpenedModel | undefined;
  readonly remarks: readonly string[];
}

/** All documents that there are: shipped ones, those that were opened, and what runs live. */
export class Library {
  #shipped: readonly StudioDocument[] = [];
  #opened: readonly StudioDocument[] = [];
  #live: StudioDocument | undefined;
  #files = 0;

  get documents(): readonly StudioDocument[] {
    return [...(this.#live ? [this.#live] : []), ...this.#opened, ...this.#shipped];
  }

  find(id: string | undefined): StudioDocument | undefined {
    return this.documents.find((document) => document.id === id);
  }

  /** The documents of the server. @throws DataError, TypeError where one of its lists does not answer */
  async begin(base: string): Promise<Outcome> {
    this.#shipped = await shippedDocuments(new URL("traces/", base).href);
    const outcomes: Outcome[] = [];
    if (isServedByHeed())
      for (const [n, { name, files }] of (await openedPlaces(base)).entries())
        outcomes.push(await this.open(name, files, `opened-${n}`));
    return {
      first: outcomes.find(({ first }) => first)?.first,
      model: outcomes.find(({ model }) => model)?.model,
      remarks: outcomes.flatMap(({ remarks }) => remarks),
    };
  }

  /**
   * Takes in files that were opened together; an id is given where a link should find them again.
   *
   * @throws DataError DAMAGED, UNSUPPORTED
   */
  async open(name: string, files: readonly NamedFile[], id?: string): Promise<Outcome> {
    const { openFiles } = await import("./opening.ts");
    const idOf = (n: number) => (id === undefined ? `file-${++this.#files}` : n === 0 ? id : `${id}-${n}`);
    const { documents, model, remarks } = await openFiles(name, files, idOf);
    // A file that is opened again takes the place of itself.
    const placed = documents.map((document) => ({
      ...document,
      id: this.#same(document)?.id ?? document.id,
    }));
    const ids = placed.map((document) => document.id);
    this.#opened = [...this.#opened.filter((one) => !ids.includes(one.id)), ...placed];
    return { first: placed[0], model, remarks };
  }

  #same({ title, bytes }: StudioDocument): StudioDocument | undefined {
    return this.#opened.find((one) => one.title === title && one.bytes === bytes);
  }

  /** What a model that runs looks at now. */
  setLive(trace: Trace, name: string): StudioDocument {
    this.#live = traceDocument(trace, LIVE, name);
    return this.#live;
  }
}
