import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CheckpointContent } from "../../src/train/checkpoint.ts";
import { type TrainLoopOptions, type TrainLoopResult, trainLoop } from "../../src/train/loop.ts";
import type { Progress, ProgressState } from "../../src/train/progress.ts";

const STEPS = 23;
const EVERY = 5;
const OUT = 3;
const IN = 5;
const ROWS = 7;

beforeAll(async () => {
  await tf.setBackend("cpu");
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heed-loop-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const wave = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i));

/** y ≈ x w by gradient descent with momentum; batch k is a function of k. */
class LinearModel {
  w = tf.variable(tf.zeros([IN, OUT]));
  velocity = tf.variable(tf.zeros([IN, OUT]));
  /** Loss by step, a step done twice written twice. */
  readonly losses: number[];

  constructor(losses: number[] = []) {
    this.losses = losses;
  }

  step(k: number): { loss: number; tokens: number } {
    const loss = tf.tidy(() => {
      const x = tf.tensor2d(wave(ROWS * IN, k), [ROWS, IN]);
      const y = tf.matMul(x, tf.tensor2d(wave(IN * OUT, -3), [IN, OUT]));
      const error = tf.sub(tf.matMul(x, this.w), y);
      const gradient = tf.div(tf.matMul(x, error, true), ROWS);
      this.velocity.assign(tf.add(tf.mul(this.velocity, 0.9), gradient));
      this.w.assign(tf.sub(this.w, tf.mul(this.velocity, 0.05)));
      return tf.mean(tf.square(error)).dataSync()[0]!;
    });
    this.losses[k] = loss;
    return { loss, tokens: ROWS };
  }

  /** Goes up and down with the step, so that the best is not the last. */
  score(step: number): number {
    return this.w.dataSync()[0]! + Math.sin(step);
  }

  snapshot(): CheckpointContent {
    const copy = (x: tf.Tensor) => ({
      dtype: "F32" as const,
      shape: x.shape,
      data: Float32Array.from(x.dataSync()),
    });
    return { tensors: { w: copy(this.w), velocity: copy(this.velocity) }, state: { shape: [IN, OUT] } };
  }

  restore({ tensors, state }: CheckpointContent): void {
    expect(state).toEqual({ shape: [IN, OUT] });
    for (const name of ["w", "velocity"] as const)
      this[name].assign(tf.tensor2d(tensors[name]!.data as Float32Array, [IN, OUT]));
  }

  options(): TrainLoopOptions {
    return {
      steps: STEPS,
      step: (k) => this.step(k),
      evaluate: (step) => this.score(step),
      evaluateEvery: EVERY,
      snapshot: () => this.snapshot(),
      restore: (content) => this.restore(content),
    };
  }
}

/** One uninterrupted run. */
async function wholeRun(more: Partial<TrainLoopOptions> = {}) {
  const model = new LinearModel();
  const result = await trainLoop({ ...model.options(), ...more });
  return { result, losses: model.losses, end: model.snapshot() };
}

describe("trainLoop", () => {
  it("does each step once, evaluates every few and after the last, and keeps the best weights", async () => {
    const model = new LinearModel();
    const evaluated: [number, number][] = [];
    const weightsAt: Record<number, Float32Array> = {};
    const result = await trainLoop({
      ...model.options(),
      evaluate: (step) => {
        evaluated.push([step, model.score(step)]);
        weightsAt[step] = Float32Array.from(model.w.dataSync());
        return model.score(step);
      },
    });
    expect(evaluated.map(([step]) => step)).toEqual([5, 10, 15, 20, 23]);
    expect(model.losses).toHaveLength(STEPS);
    const [step, score] = evaluated.reduce((a, b) => (b[1] > a[1] ? b : a));
    expect(step).not.toBe(STEPS);
    expect(result).toMatchObject({ step: STEPS, stopped: "done", resumedFrom: 0, best: { step, score } });
    expect(result.best!.weights.w!.data).toEqual(weightsAt[step]);
  });

  it("goes through the same losses, bit for bit, wherever it is killed and resumed", async () => {
    const whole = await wholeRun();
    const kill = fc.record({
      at: fc.integer({ min: 0, max: STEPS }),
      how: fc.constantFrom("step", "evaluation", "signal"),
      everySteps: fc.integer({ min: 1, max: STEPS + 1 }),
    });
    const lives = fc.array(kill, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(lives, async (kills) => {
        await rm(folder, { recursive: true, force: true });
        const losses: number[] = [];
        let last: { model: LinearModel; result: TrainLoopResult } | undefined;
        for (const { at, how, everySteps } of [...kills, { at: -1, how: "never", everySteps: 4 }]) {
          const model = new LinearModel(losses);
          const abort = new AbortController();
          const options = model.options();
          const life = trainLoop({
            ...options,
            checkpoint: { folder, everySteps },
            signal: abort.signal,
            step: (k) => {
              if (k === at && how === "step") throw new Error("killed");
              if (k === at && how === "signal") abort.abort();
              return options.step(k);
            },
            evaluate: (step) => {
              if (step >= at && how === "evaluation") throw new Error("killed");
              return options.evaluate!(step);
            },
          });
          last = await life.then(
            (result) => ({ model, result }),
            (error: Error) => {
              expect(error.message).toBe("killed");
              return undefined;
            },
          );
        }
        expect(losses).toEqual(whole.losses);
        expect(last!.model.snapshot()).toEqual(whole.end);
        const { step, stopped, best } = last!.result;
        expect({ step, stopped, best }).toEqual({ step: STEPS, stopped: "done", best: whole.result.best });
      }),
      { numRuns: 60 },
    );
  });

  it("stops at the signal after the step under way, having saved, and the next call begins there", async () => {
    const abort = new AbortController();
    const model = new LinearModel();
    const options = { ...model.options(), checkpoint: { folder } };
    const result = await trainLoop({
      ...options,
      signal: abort.signal,
      step: (k) => {
        if (k === 11) abort.abort();
        return model.step(k);
      },
    });
    expect(result).toMatchObject({ step: 12, stopped: "signal" });
    expect(await readdir(folder)).toEqual(["checkpoint-000000012.safetensors"]);
    expect(await trainLoop(options)).toMatchObject({ step: STEPS, stopped: "done", resumedFrom: 12 });
  });

  it("does an evaluation once, though the signal comes between a step and its evaluation, or during it", async () => {
    const evaluated: number[] = [];
    const life = (abortInStep: number, abortInEvaluation: boolean) => {
      const abort = new AbortController();
      const model = new LinearModel();
      return trainLoop({
        ...model.options(),
        checkpoint: { folder },
        signal: abort.signal,
        step: (k) => {
          if (k === abortInStep) abort.abort();
          return model.step(k);
        },
        evaluate: (step) => {
          evaluated.push(step);
          if (abortInEvaluation) abort.abort();
          return 0;
        },
      });
    };
    // Step 9 is the tenth: after it an evaluation is due.
    const stops = [
      await life(9, false),
      await life(-1, true),
      await life(STEPS - 1, false),
      await life(-1, false),
    ];
    expect(stops.map(({ step, stopped }) => [step, stopped])).toEqual([
      [10, "signal"],
      [10, "signal"],
      [STEPS, "signal"],
      [STEPS, "done"],
    ]);
    expect(evaluated).toEqual([5, 10, 15, 20, 23]);
  });

  it("hears a signal that comes from a timer, though every step is synchronous", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 5);
    const result = await trainLoop({
      ...new LinearModel().options(),
      steps: 1e9,
      evaluate: undefined,
      signal: abort.signal,
    });
    expect(result.stopped).toBe("signal");
  });

  it("stops early once patience is spent, and a finished run resumed does nothing more", async () => {
    const scores = new Map([
      [5, 1],
      [10, 3],
      [15, 2],
      [20, 2.5],
    ]);
    const options = {
      ...new LinearModel().options(),
      evaluate: (step: number) => scores.get(step)!,
      earlyStopping: { patience: 2 },
      checkpoint: { folder },
    };
    const expected = { step: 20, stopped: "early", best: { score: 3, step: 10 } };
    const first = await trainLoop(options);
    expect(first).toMatchObject({ ...expected, resumedFrom: 0 });
    const step = () => {
      throw new Error("no step is left");
    };
    const second = await trainLoop({ ...options, step });
    expect(second).toMatchObject({ ...expected, resumedFrom: 20 });
    expect(second.best!.weights).toEqual(first.best!.weights);
  });

  it("saves by the clock: after the step that ends each full minute, at most `keep` files", async () => {
    let ms = 0;
    const saves: string[] = [];
    const model = new LinearModel();
    await trainLoop({
      ...model.options(),
      now: () => ms,
      checkpoint: { folder, everySeconds: 60, keep: 1 },
      step: async (k) => {
        saves.push(...(await readdir(folder)).filter((name) => name.startsWith("checkpoint-")));
        ms += 25_000;
        return model.step(k);
      },
    });
    // 75 s pass from save to save: steps 3, 6, …, 21, and the end.
    expect([...new Set(saves)].map((name) => Number(name.slice(11, 20)))).toEqual([3, 6, 9, 12, 15, 18, 21]);
    expect(await readdir(folder)).toEqual(["checkpoint-000000023.safetensors"]);
  });

  it("shows the loss, the speed of steps alone, the time left and the best score", async () => {
    let ms = 0;
    const shown: ProgressState[] = [];
    const lines: string[] = [];
    let stops = 0;
    const progress: Progress = {
      update: (state) => void shown.push(state),
      log: (line) => void lines.push(line),
      stop: () => void stops++,
    };
    await trainLoop({
      steps: 4,
      step: (k) => {
        ms += 500;
        return { loss: k === 0 ? 10 : 5, tokens: 100 };
      },
      evaluate: (step) => {
        ms += 1000;
        return step + 1 / 3;
      },
      evaluateEvery: 2,
      snapshot: () => ({ tensors: {}, state: null }),
      restore: () => undefined,
      progress,
      now: () => ms,
    });
    expect(shown[0]).toEqual({
      step: 1,
      steps: 4,
      loss: 10,
      tokensPerSecond: 200,
      secondsLeft: 1.5,
      best: undefined,
    });
    // 2.5 s for three steps, an evaluation included.
    expect(shown[2]).toMatchObject({ step: 3, tokensPerSecond: 200, secondsLeft: 2.5 / 3, best: 2 + 1 / 3 });
    expect(shown[1]!.loss).toBeCloseTo(0.98 * 10 + 0.02 * 5, 12);
    expect(lines).toEqual(["step 2: score 2.33, the best so far", "step 4: score 4.33, the best so far"]);
    expect(stops).toBe(1);
  });

  it("passes over a damaged checkpoint, says so, and arrives at the same end", async () => {
    const whole = await wholeRun();
    const model = new LinearModel();
    await trainLoop({
      ...model.options(),
      checkpoint: { folder, everySteps: 10 },
    });
    const newest = join(folder, "checkpoint-000000023.safetensors");
    await writeFile(newest, (await readFile(newest)).subarray(0, 300));
    const lines: string[] = [];
    const progress: Progress = { update() {}, log: (line) => void lines.push(line), stop() {} };
    const again = new LinearModel();
    const result = await trainLoop({ ...again.options(), checkpoint: { folder }, progress });
    expect(result).toMatchObject({ resumedFrom: 20, step: STEPS });
    expect(lines[0]).toMatch(`skipped ${newest}: checkpoint: the file must have the SHA-256 written in it`);
    expect(again.snapshot()).toEqual(whole.end);
  });

  it("refuses to begin again at 0 where there are checkpoints and none can be read", async () => {
    const options = { ...new LinearModel().options(), checkpoint: { folder, everySteps: 10 } };
    await trainLoop(options);
    const files = ["checkpoint-000000023.safetensors", "checkpoint-000000020.safetensors"].map((name) =>
      join(folder, name),
    );
    // A file that cannot be read at all, as with the wrong rights, and one that is damaged.
    await rm(files[0]!);
    await mkdir(files[0]!);
    await writeFile(files[1]!, "");
    const step = () => {
      throw new Error("it began");
    };
    await expect(trainLoop({ ...options, step })).rejects.toThrow(
      `trainLoop: a run goes on from a checkpoint that can be read, got none in ${files.join(", ")} (${files[0]}: ` +
        "a folder); mend their rights or bring them back, or remove them to " +
        "begin again at step 0",
    );
  });

  it("refuses a loss that is not finite, and stops the progress", async () => {
    let stops = 0;
    const progress: Progress = { update() {}, log() {}, stop: () => void stops++ };
    const options = { ...new LinearModel().options(), progress };
    const step = (k: number) => ({ loss: k === 3 ? Number.NaN : 1, tokens: 1 });
    await expect(trainLoop({ ...options, step })).rejects.toThrow(
      "trainLoop: the loss of each step must be finite, got NaN at step 3; lower the learning rate or clip the gradients",
    );
    expect(stops).toBe(1);
  });

  it("refuses a run of no steps", async () => {
    await expect(trainLoop({ ...new LinearModel().options(), steps: 0 })).rejects.toThrow(
      "trainLoop: steps must be a whole number from 1, got 0; pass another value",
    );
  });
});
