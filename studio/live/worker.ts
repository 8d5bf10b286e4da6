/** The worker that runs models, one request after the other; a run that takes long looks up between its steps. */
import "../../src/host/backend.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { init } from "../../src/kernels/init.ts";
import type { ActName, ModelFacts, Reply, Request } from "./protocol.ts";
import { fetchFiles, readFiles } from "./worker/files.ts";
import type { LiveModel, RunContext } from "./worker/model.ts";
import { openModel, openPublished } from "./worker/open.ts";

/** More make a translation no faster: its matrices are small. */
const MOST_THREADS = 4;

const models = new Map<string, LiveModel>();
const stopped = new Set<number>();
let threads: Promise<number> | undefined;
let turn: Promise<unknown> = Promise.resolve();

const post = (reply: Reply, transfer: Transferable[] = []) =>
  (globalThis as unknown as { postMessage(message: Reply, transfer: Transferable[]): void }).postMessage(
    reply,
    transfer,
  );

/** Starts the backend once, with threads where the page may share memory. */
async function start(): Promise<number> {
  await useHeedBackend();
  const wanted = globalThis.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
  const { threads: running } = await init({ threads: wanted }).catch(() => init({ threads: 1 }));
  return running;
}

const context = (id: number): RunContext => ({
  step(output) {
    post({ id, state: "step", output }, buffersOf(output));
    return pause();
  },
  get isStopped() {
    return stopped.has(id);
  },
});

/** Lets messages in. */
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

async function answer(request: Exclude<Request, { do: "stop" }>): Promise<void> {
  const { id, model } = request;
  try {
    threads ??= start();
    if (request.do === "run") {
      const act = models.get(model)?.acts[request.act];
      if (!act) throw new Error(`${model} is not loaded, or cannot ${request.act}`);
      const output = await act(request.input as never, context(id));
      stopped.delete(id);
      return post({ id, state: "done", output }, buffersOf(output));
    }
    const progress = (loaded: number, total: number | undefined) =>
      post({ id, state: "progress", loaded, total });
    const [running, opened] = await Promise.all([
      threads,
      request.do === "open"
        ? readFiles(request.files).then((files) => () => openPublished(files))
        : fetchFiles(request.address, request.kind, progress).then(
            (files) => () => openModel(request.kind, files),
          ),
    ]);
    const fresh = await opened();
    models.get(model)?.dispose();
    models.set(model, fresh);
    const acts = Object.keys(fresh.acts) as ActName[];
    const facts: ModelFacts = { ...fresh.facts, acts, threads: running };
    post({ id, state: "loaded", facts });
  } catch (error) {
    // A backend that did not start is tried anew.
    await threads?.catch(() => {
      threads = undefined;
    });
    post({ id, state: "failed", message: error instanceof Error ? error.message : String(error) });
  }
}

/** What can be handed over instead of copied: the bytes of traces and pictures, each its own. */
function buffersOf(output: unknown): Transferable[] {
  const values = typeof output === "object" && output !== null ? Object.values(output) : [];
  const bytes = values.filter((value): value is Uint8Array<ArrayBuffer> => value instanceof Uint8Array);
  return [...new Set(bytes.map(({ buffer }) => buffer))];
}

globalThis.onmessage = ({ data }: MessageEvent<Request>) => {
  if (data.do === "stop") {
    stopped.add(data.run);
    return;
  }
  turn = turn.then(() => answer(data));
};
