import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Translator } from "./load.ts";
import type { TargetLanguage } from "./text/language.ts";
import type { TranslateOptions, Translation } from "./translation.ts";

/** Which model a worker thread loads. */
export interface WorkerModel {
  folder: string | undefined;
  to: TargetLanguage | undefined;
}

/** Lines for whichever thread takes them first. */
export interface BatchMessage {
  number: number;
  /** Shared by all threads: who took it. */
  taken: Int32Array;
  lines: string[];
  options: TranslateOptions;
}

/** Without translations where they failed. */
export interface BatchReply {
  number: number;
  translations?: Translation[];
}

/** What a worker is told when it starts: its model, and its number, from 1 on. */
export interface WorkerStart extends WorkerModel {
  who: number;
}

/** Whether the lines were left, and are now this one's: a worker's number, or `HERE`. */
export function take(taken: Int32Array, who: number): boolean {
  return Atomics.compareExchange(taken, 0, NOBODY, who) === NOBODY;
}

const NOBODY = 0;
/** The thread that reads the lines. */
const HERE = -1;
/** A worker takes half a second to start: so many batches must wait for it, and as many for each one before it. */
const WORTH_A_WORKER = 3;
/** Batches under way, for each thread: what has been read and not handed on stays bounded. */
const UNDER_WAY = 4;
/** Each worker holds a model and a heap of its own, some 150 MB. */
const MOST_THREADS = 4;

/** Threads where nobody says how many: the cores of the machine, at most 4. */
export const defaultThreads = (): number => Math.min(availableParallelism(), MOST_THREADS);

export interface BatchOptions {
  /** How each line is translated. */
  options?: TranslateOptions;
  /** Threads at most, this one included. @default the cores of the machine, at most 4 */
  threads?: number;
  /** The model of the workers, which must be the translator's. @default none: this thread does all */
  model?: WorkerModel | undefined;
  /** Lines of a full batch: after one, more are expected. */
  full: number;
}

/**
 * Translates batches of lines, several at once where many wait: worker threads with a model of their own take the next one
 * that is left, and so does this thread. The translations come in the order of the batches, and are the same on any number
 * of threads. What a worker does not finish, this thread does.
 *
 * @throws what `translate` throws, and what reading the batches does
 * @example
 * const translator = await loadTranslator("translation-en", "de");
 * const found = translateBatches(translator, [["Where is the station?"]], { full: 64 });
 * const { value } = await found.next();
 * value[0].target; // "Wo ist der Bahnhof?"
 * translator.dispose();
 */
export async function* translateBatches(
  translator: Pick<Translator, "translate">,
  batches: AsyncIterable<string[]> | Iterable<string[]>,
  { options = {}, threads = defaultThreads(), model, full }: BatchOptions,
): AsyncGenerator<Translation[]> {
  let failure: { error: unknown } | undefined;
  // What was read before reading failed is translated first.
  const input = (async function* () {
    try {
      yield* batches;
    } catch (error) {
      failure = { error };
    }
  })();
  const workers = new Workers(model ? threads - 1 : 0, model);
  const jobs: Job[] = [];
  let next: Promise<IteratorResult<string[]>> | undefined;
  let isMoreLikely = true;
  let hasEnded = false;
  try {
    while (!hasEnded || jobs.length > 0) {
      const left = jobs.filter(isLeft);
      const hasRoom = jobs.length < UNDER_WAY * threads;
      // Nothing is asked of a reader who may wait for an answer first.
      if (!hasEnded && hasRoom && (isMoreLikely || left.length === 0)) next ??= input.next();
      const arrived = next && (await Promise.race([next, setImmediate(undefined)]));
      if (arrived) {
        next = undefined;
        hasEnded = arrived.done === true;
        if (arrived.done) continue;
        isMoreLikely = arrived.value.length >= full;
        const job = newJob(arrived.value, options);
        jobs.push(job);
        workers.offer(job, left.length + 1);
        if (isMoreLikely) continue;
      }
      const own = jobs.find((job) => isLeft(job) && take(job.message.taken, HERE));
      if (own) {
        own.translations = translator.translate(own.message.lines, options);
        workers.forget(own);
      } else if (jobs.length > 0 && !jobs[0]!.translations)
        await Promise.race([workers.change, ...(next ? [next] : [])]);
      else if (next) await next;
      while (jobs[0]?.translations) yield jobs.shift()!.translations!;
    }
    if (failure) throw failure.error;
  } finally {
    await workers.close();
    // Not waited for: it may be about to get lines that nobody will translate.
    input.return(undefined).catch(() => {});
  }
}

interface Job {
  readonly message: BatchMessage;
  translations?: Translation[];
}

let jobsSoFar = 0;

function newJob(lines: string[], options: TranslateOptions): Job {
  const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  return { message: { number: jobsSoFar++, taken, lines, options } };
}

/** Gives back what was taken. Workers that have passed it by do not come back to it. */
const leave = ({ message }: Job): number => Atomics.exchange(message.taken, 0, NOBODY);

const isLeft = ({ message }: Job): boolean => Atomics.load(message.taken, 0) === NOBODY;

/** Worker threads, started when there is enough for them to do. */
class Workers {
  readonly #most: number;
  readonly #model: WorkerModel | undefined;
  readonly #workers: Worker[] = [];
  /** What the workers know of and have not done. */
  readonly #jobs = new Map<number, Job>();
  #wake = () => {};

  constructor(most: number, model: WorkerModel | undefined) {
    this.#most = most;
    this.#model = model;
  }

  /** Resolves when a worker has done something, or is gone. */
  get change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Tells every worker of a batch. @param left how many wait, this one included */
  offer(job: Job, left: number): void {
    if (this.#most === 0) return;
    this.#jobs.set(job.message.number, job);
    for (const worker of this.#workers) worker.postMessage(job.message);
    const count = this.#workers.length;
    if (count < this.#most && left >= WORTH_A_WORKER * (count + 1)) this.#start();
  }

  /** What another thread has done. */
  forget({ message }: Job): void {
    this.#jobs.delete(message.number);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #start(): void {
    const who = this.#workers.length + 1;
    const workerData: WorkerStart = { ...this.#model!, who };
    const worker = new Worker(new URL("./batch-worker.js", import.meta.url), { workerData });
    this.#workers.push(worker);
    worker.on("message", ({ number, translations }: BatchReply) => {
      const job = this.#jobs.get(number)!;
      if (translations) job.translations = translations;
      else leave(job);
      if (translations) this.forget(job);
      this.#wake();
    });
    worker.on("error", () => this.#lose(who));
    worker.on("exit", () => this.#lose(who));
    for (const { message } of this.#jobs.values()) worker.postMessage(message);
  }

  /** What a worker had taken is left for this thread, where the same failure has its own class and message. */
  #lose(who: number): void {
    for (const job of this.#jobs.values())
      if (Atomics.load(job.message.taken, 0) === who && !job.translations) leave(job);
    this.#wake();
  }
}
