/**
 * The training loop of every task: steps, evaluations, checkpoints, the best weights, and stopping.
 *
 * A run is a pure function of its options: `step(k)` must depend on `k` and on what `snapshot` saves only (data
 * order and dropout drawn from k). Then a run that was killed at any moment, or stopped by `signal`, and started
 * again with the same options goes through the same losses, bit for bit.
 *
 * One checkpoint file holds it all: the tensors of `snapshot`, its state, the best weights and the patience spent.
 */
import { setImmediate } from "node:timers/promises";
import { DataError } from "../core/errors.ts";
import type { SafetensorsTensor } from "../core/safetensors.ts";
import { type CheckpointContent, loadLatestCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { EarlyStopping, type EarlyStoppingOptions, type EarlyStoppingState } from "./early-stopping.ts";
import { lockFolder } from "./folder-lock.ts";
import { requireWhole } from "./options.ts";
import type { Progress } from "./progress.ts";

type Tensors = Record<string, SafetensorsTensor>;
type Awaitable<T> = T | Promise<T>;

export interface TrainLoopOptions {
  /** Optimiser steps of the whole run, from 1 (epochs × steps per epoch). */
  steps: number;
  /** Does optimiser step k = 0 … steps − 1. `loss` is shown and must be finite; `tokens` are counted for the speed. */
  step(k: number): Awaitable<{ loss: number; tokens: number }>;
  /** All that a step reads and changes, as copies that later steps leave alone. */
  snapshot(): Awaitable<CheckpointContent>;
  /** Puts back what `snapshot` gave; refuses by throwing, for instance when the recipe is another. */
  restore(content: CheckpointContent): Awaitable<void>;
  /** The weights to keep when they are the best so far; by default all tensors of `snapshot`. */
  weights?(): Awaitable<Tensors>;
  /** Validation score after `step` steps. */
  evaluate?(step: number): Awaitable<number>;
  /** Steps between evaluations, from 1; one more follows the last step. @default steps */
  evaluateEvery?: number;
  /** When to give up, and whether a higher score is better. @default never, "max" */
  earlyStopping?: Partial<EarlyStoppingOptions>;
  /** Where and how often to save, in steps or seconds, whichever comes first; the end of the run is always saved. */
  checkpoint?: { folder: string; everySteps?: number; everySeconds?: number; keep?: number };
  progress?: Progress;
  /** Finishes the step or evaluation under way, saves, and returns. */
  signal?: AbortSignal;
  /** A clock in milliseconds. It decides when to save and what the progress shows, never a number of the run. */
  now?: () => number;
}

export interface TrainLoopResult {
  /** Steps done. */
  step: number;
  /** Why the loop returned: all steps done, patience spent, or `signal`. */
  stopped: "done" | "early" | "signal";
  /** The step that this call began at: 0, or that of the checkpoint. */
  resumedFrom: number;
  best: { score: number; step: number; weights: Tensors } | null;
}

interface LoopState {
  evaluatedAt: number;
  stopping: EarlyStoppingState;
  /** Of the caller. */
  state: unknown;
}

const OP = "trainLoop";
const CURRENT = "current/";
const BEST = "best/";

/**
 * Trains from the newest checkpoint in `checkpoint.folder`, or from the start.
 *
 * @throws DataError NOT_FINITE when a loss is not finite; checkpoints from before stay
 * @throws DataError UNREADABLE when the folder has checkpoints and none can be read, DAMAGED for the state of one
 * @throws FileError LOCKED when another run writes to the folder
 *
 * @example
 * const { best } = await trainLoop({
 *   steps: 8000,
 *   step: (k) => training.step(k),
 *   evaluate: () => corpusBleu(translate(sources), references).score,
 *   evaluateEvery: 500,
 *   earlyStopping: { patience: 5 },
 *   checkpoint: { folder: "runs/en-fr", everySeconds: 300 },
 *   snapshot: () => training.snapshot(),
 *   restore: (content) => training.restore(content),
 *   progress: createProgress(),
 * });
 */
export async function trainLoop(options: TrainLoopOptions): Promise<TrainLoopResult> {
  checkOptions(options);
  const { checkpoint } = options;
  if (!checkpoint) return runLoop(options);
  const release = await lockFolder(OP, checkpoint.folder);
  try {
    return await runLoop(options);
  } finally {
    await release();
  }
}

function checkOptions({ steps, checkpoint, evaluateEvery = steps }: TrainLoopOptions): void {
  requireWhole(OP, "steps", steps, 1);
  requireWhole(OP, "evaluateEvery", evaluateEvery, 1);
  if (checkpoint?.everySteps !== undefined) {
    requireWhole(OP, "checkpoint.everySteps", checkpoint.everySteps, 1);
  }
}

async function runLoop(options: TrainLoopOptions): Promise<TrainLoopResult> {
  const { steps, checkpoint, evaluate, progress, signal, now = () => performance.now() } = options;
  const evaluateEvery = options.evaluateEvery ?? steps;
  const run = await resume(options);
  const resumedFrom = run.step;
  const meter = new Meter(run.step, now);
  let saved = { step: run.step, evaluatedAt: run.evaluatedAt, at: now() };
  const save = async () => {
    const changed = run.step > saved.step || run.evaluatedAt > saved.evaluatedAt;
    if (checkpoint && changed) await saveRun(options, run);
    saved = { step: run.step, evaluatedAt: run.evaluatedAt, at: now() };
  };
  const saveIsDue = () =>
    run.step - saved.step >= (checkpoint?.everySteps ?? Infinity) ||
    now() - saved.at >= (checkpoint?.everySeconds ?? Infinity) * 1000;

  const evaluationIsDue = () =>
    evaluate !== undefined &&
    run.step > run.evaluatedAt &&
    (run.step === steps || run.step % evaluateEvery === 0);

  let stopped: TrainLoopResult["stopped"] | undefined;
  try {
    for (;;) {
      if (evaluationIsDue() && !signal?.aborted) await judge(options, run);
      if (saveIsDue()) await save();
      if (run.stopping.shouldStop) stopped = "early";
      else if (run.step >= steps && !evaluationIsDue()) stopped = "done";
      else if (signal?.aborted) stopped = "signal";
      if (stopped) break;

      const { step } = run;
      meter.begin();
      const { loss, tokens } = await options.step(step);
      if (!Number.isFinite(loss)) throw notFinite(step, loss);
      run.step++;
      meter.end(loss, tokens);
      progress?.update({
        step: run.step,
        steps,
        ...meter.read(run.step, steps),
        best: run.stopping.best?.score,
      });
      // Timers and signals get their turn even where every step is synchronous.
      await setImmediate();
    }
    await save();
  } finally {
    progress?.stop();
  }
  const best =
    run.stopping.best && run.bestWeights ? { ...run.stopping.best, weights: run.bestWeights } : null;
  return { step: run.step, stopped, resumedFrom, best };
}

function notFinite(step: number, loss: number): DataError<"NOT_FINITE"> {
  const rule = "the loss of each step must be finite";
  const remedy = "lower the learning rate or clip the gradients";
  return new DataError("NOT_FINITE", { op: OP, rule, got: `${loss} at step ${step}`, remedy, step });
}

/** A checkpoint's own numbers, which decide when a run stops: a file may say anything. */
function checkState(path: string, state: unknown): LoopState {
  const { evaluatedAt, stopping } = (state ?? {}) as Partial<LoopState>;
  const isCount = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
  const best = stopping?.best;
  const isBest = best === null || (Number.isFinite(best?.score) && isCount(best?.step));
  if (isCount(evaluatedAt) && isCount(stopping?.stale) && isBest) return state as LoopState;
  const rule = "a checkpoint must hold the loop's own state, evaluatedAt and stopping";
  const got = `other values in ${path}`;
  throw new DataError("DAMAGED", { op: OP, rule, got, remedy: "use one that trainLoop wrote", path });
}

/** What the loop itself remembers of a run. */
interface Run {
  step: number;
  /** The step of the last evaluation, 0 for none: a save may fall between a step and its evaluation. */
  evaluatedAt: number;
  stopping: EarlyStopping;
  bestWeights: Tensors | undefined;
}

async function resume({ checkpoint, earlyStopping, restore, progress }: TrainLoopOptions): Promise<Run> {
  const stoppingOptions = { patience: Infinity, ...earlyStopping };
  const found = checkpoint ? await loadLatestCheckpoint(checkpoint.folder) : undefined;
  const skipped = found?.skipped ?? [];
  for (const { path, reason } of skipped) progress?.log(`skipped ${path}: ${reason}`);
  if (!found?.checkpoint) {
    // Beginning again at 0 would throw away hours without a word, where a mistake in the rights may be all there is.
    if (skipped[0]) {
      const { path: newest, reason } = skipped[0];
      const files = skipped.map(({ path }) => path);
      throw new DataError("UNREADABLE", {
        op: OP,
        rule: "a run goes on from a checkpoint that can be read",
        got: `none in ${files.join(", ")} (${newest}: ${reason})`,
        remedy: "mend their rights or bring them back, or remove them to begin again at step 0",
        files,
      });
    }
    return { step: 0, evaluatedAt: 0, stopping: new EarlyStopping(stoppingOptions), bestWeights: undefined };
  }
  const { step, path, tensors } = found.checkpoint;
  const { evaluatedAt, stopping, state } = checkState(path, found.checkpoint.state);
  await restore({ tensors: under(CURRENT, tensors), state });
  progress?.log(`resumed from step ${step}, ${path}`);
  const bestWeights = stopping.best ? under(BEST, tensors) : undefined;
  return { step, evaluatedAt, stopping: new EarlyStopping(stoppingOptions, stopping), bestWeights };
}

async function saveRun({ checkpoint, snapshot }: TrainLoopOptions, run: Run): Promise<void> {
  const { tensors, state } = await snapshot();
  const { evaluatedAt, stopping, bestWeights = {} } = run;
  const loopState: LoopState = { evaluatedAt, stopping: stopping.state, state };
  const all = { ...prefixed(CURRENT, tensors), ...prefixed(BEST, bestWeights) };
  const { folder, keep } = checkpoint!;
  await saveCheckpoint(folder, run.step, { tensors: all, state: loopState }, { keep });
}

async function judge({ evaluate, weights, snapshot, progress }: TrainLoopOptions, run: Run): Promise<void> {
  const score = await evaluate!(run.step);
  run.evaluatedAt = run.step;
  const better = run.stopping.update(score, run.step);
  if (better) run.bestWeights = weights ? await weights() : (await snapshot()).tensors;
  progress?.log(`step ${run.step}: score ${score.toFixed(2)}${better ? ", the best so far" : ""}`);
}

const prefixed = (prefix: string, tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));

const under = (prefix: string, tensors: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );

/** Loss and speed for the eye: the loss is a mean that forgets, the speed counts steps and not evaluations. */
class Meter {
  readonly #now: () => number;
  readonly #firstStep: number;
  readonly #startMs: number;
  #beganMs = 0;
  #stepMs = 0;
  #tokens = 0;
  #loss: number | undefined;

  constructor(firstStep: number, now: () => number) {
    this.#firstStep = firstStep;
    this.#now = now;
    this.#startMs = now();
  }

  begin(): void {
    this.#beganMs = this.#now();
  }

  end(loss: number, tokens: number): void {
    this.#stepMs += this.#now() - this.#beganMs;
    this.#tokens += tokens;
    this.#loss = this.#loss === undefined ? loss : 0.98 * this.#loss + 0.02 * loss;
  }

  read(step: number, steps: number) {
    const perStep = (this.#now() - this.#startMs) / (step - this.#firstStep);
    return {
      loss: this.#loss,
      tokensPerSecond: this.#stepMs > 0 ? (1000 * this.#tokens) / this.#stepMs : undefined,
      secondsLeft: ((steps - step) * perStep) / 1000,
    };
  }
}
