/** The page's side of the worker that runs models. */
import { keepFolders } from "../offline/register.ts";
import type { ActName, InputOf, ModelFacts, ModelKind, OutputOf, Reply, Request } from "./protocol.ts";

/** A model as a page names it. */
export interface ModelSource {
  readonly model: string;
  readonly kind: ModelKind;
  /** Where the files of a shipped model lie; of an opened one its files. */
  readonly address?: string;
  readonly files?: readonly File[];
}

export interface Progress {
  readonly loaded: number;
  readonly total: number | undefined;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress?: (progress: Progress) => void;
  readonly onStep?: (output: never) => void;
}

/** What a run that was stopped, or overtaken by a newer one, is rejected with. */
export class Overtaken extends Error {}

/** Where a shipped model's files lie, and what else it needs. */
function foldersOf(kind: ModelKind, address: string | undefined): string[] {
  if (!address) return [];
  return kind === "atoms" ? [address, new URL("../../rdkit/", address).href] : [address];
}

type Unnumbered<R> = R extends unknown ? Omit<R, "id"> : never;

/**
 * Runs models in a worker. Of the runs of one lane only the newest counts: one is under way, the newest other one waits, those
 * between are overtaken before they begin.
 */
export class LiveClient {
  #worker: Worker | undefined;
  #ids = 0;
  readonly #waiting = new Map<number, Waiting>();
  readonly #loads = new Map<string, Promise<ModelFacts>>();
  readonly #lanes = new Map<
    string,
    { running: boolean; next?: (() => void) | undefined; drop?: () => void }
  >();

  /**
   * The facts of a model, loaded at the first call; one that failed is tried anew.
   *
   * @throws Error with a message for the reader
   */
  load(
    { model, kind, address, files }: ModelSource,
    onProgress: (progress: Progress) => void,
  ): Promise<ModelFacts> {
    const before = this.#loads.get(model);
    if (before) return before;
    const request = files
      ? { do: "open" as const, model, files }
      : { do: "load" as const, model, kind, address: address! };
    const facts = this.#ask<ModelFacts>(request, { onProgress });
    this.#loads.set(model, facts);
    facts.then(
      () => void keepFolders(foldersOf(kind, address)),
      () => this.#loads.delete(model),
    );
    return facts;
  }

  /** Forgets a model that was opened, so that another one of its name can be. */
  forget(model: string): void {
    this.#loads.delete(model);
  }

  /**
   * Runs an act of a loaded model.
   *
   * @param lane of which only the newest run counts
   * @throws Overtaken where a newer run took its place · Error with a message for the reader
   */
  async run<A extends ActName>(
    model: string,
    act: A,
    input: InputOf<A>,
    lane: string = act,
  ): Promise<OutputOf<A>> {
    const state = this.#lanes.get(lane) ?? { running: false };
    this.#lanes.set(lane, state);
    if (state.running)
      await new Promise<void>((resolve, reject) => {
        state.drop?.();
        state.next = resolve;
        state.drop = () => reject(new Overtaken("a newer run took its place"));
      });
    state.running = true;
    try {
      return await this.#ask<OutputOf<A>>({ do: "run", model, act, input }, {});
    } finally {
      state.running = false;
      const { next } = state;
      delete state.next;
      delete state.drop;
      // Taken at once, so that a run that comes meanwhile does not overtake it unseen.
      if (next) {
        state.running = true;
        next();
      }
    }
  }

  /** Begins a run that answers step by step; `stop` ends it, after which `done` resolves. */
  begin<A extends ActName>(
    model: string,
    act: A,
    input: InputOf<A>,
    onStep: (output: OutputOf<A>) => void,
  ): { done: Promise<OutputOf<A>>; stop: () => void } {
    const run = this.#ids + 1;
    const done = this.#ask<OutputOf<A>>({ do: "run", model, act, input }, { onStep });
    return { done, stop: () => this.#post({ do: "stop", run }) };
  }

  /** Ends the worker; what it was asked is rejected. */
  close(): void {
    this.#worker?.terminate();
    this.#fail("the page let go of its models");
  }

  #ask<T>(request: Unnumbered<Request>, told: Pick<Waiting, "onProgress" | "onStep">): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = this.#post(request);
      this.#waiting.set(id, { resolve, reject, ...told });
    });
  }

  #post(request: Unnumbered<Request>): number {
    this.#worker ??= this.#start();
    const id = ++this.#ids;
    this.#worker.postMessage({ ...request, id });
    return id;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message || "the worker that runs models did not start");
    };
    return worker;
  }

  #hear(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    if (reply.state === "progress") waiting.onProgress?.(reply);
    if (reply.state === "step") waiting.onStep?.(reply.output as never);
    if (reply.state === "progress" || reply.state === "step") return;
    this.#waiting.delete(reply.id);
    if (reply.state === "failed") waiting.reject(new Error(reply.message));
    else waiting.resolve((reply.state === "loaded" ? reply.facts : reply.output) as never);
  }

  #fail(message: string): void {
    this.#worker = undefined;
    this.#loads.clear();
    for (const { reject } of this.#waiting.values()) reject(new Error(message));
    this.#waiting.clear();
  }
}
