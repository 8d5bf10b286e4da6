import type { AnswerTo, CodeFailure, CodeReply, CodeRequest } from "./protocol.ts";

/** How long code may run. A page that is slow to load is not meant: the time begins when the worker is ready. */
const LIMIT_MS = 5000;

/** What is wrong with the code that was run. */
export class CodeError extends Error {
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor({ message, line, column }: CodeFailure) {
    super(message);
    this.name = "CodeError";
    this.line = line;
    this.column = column;
  }
}

interface Asked {
  readonly request: CodeRequest;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Runs written code in a worker of its own, which has no page and is ended where code takes too long. One run is under way and the
 * newest other one waits; those between are never run, and their promises stay as they are.
 */
export class CodeRunner {
  #worker: Worker | undefined;
  #isReady = false;
  #ids = 0;
  #running: (Asked & { id: number; timer?: ReturnType<typeof setTimeout> }) | undefined;
  #next: Asked | undefined;

  /** @throws CodeError with the line */
  run<R extends CodeRequest>(request: R): Promise<AnswerTo<R>> {
    return new Promise((resolve, reject) => {
      this.#next = { request, resolve, reject };
      this.#start();
    });
  }

  /** Ends the worker; a later run starts another one. */
  end(): void {
    this.#worker?.terminate();
    clearTimeout(this.#running?.timer);
    this.#worker = undefined;
    this.#isReady = false;
    this.#running = undefined;
  }

  #start(): void {
    const worker = this.#worker ?? this.#open();
    if (!this.#isReady || this.#running || !this.#next) return;
    const id = ++this.#ids;
    const timer = setTimeout(() => this.#stop(), LIMIT_MS);
    this.#running = { ...this.#next, id, timer };
    this.#next = undefined;
    worker.postMessage({ id, ...this.#running.request });
  }

  #open(): Worker {
    const worker = new Worker(new URL("./code-worker.ts", import.meta.url), {
      type: "module",
      name: "heed code",
    });
    worker.onmessage = ({ data }: MessageEvent<CodeReply>) => this.#onReply(data);
    worker.onerror = () =>
      this.#drop("The part of the page that runs code could not be loaded; reload the page.");
    this.#worker = worker;
    return worker;
  }

  #onReply(reply: CodeReply): void {
    if ("ready" in reply) this.#isReady = true;
    else if (reply.id === this.#running?.id) {
      const { resolve, reject, timer } = this.#running;
      clearTimeout(timer);
      this.#running = undefined;
      if ("failure" in reply) reject(new CodeError(reply.failure));
      else resolve(reply.answer as never);
    }
    this.#start();
  }

  #stop(): void {
    this.#drop(`This takes longer than ${LIMIT_MS / 1000} seconds and was stopped.`);
    if (this.#next) this.#start();
  }

  #drop(message: string): void {
    const asked = this.#running ?? this.#next;
    if (!this.#running) this.#next = undefined;
    this.end();
    asked?.reject(new CodeError({ message }));
  }
}
