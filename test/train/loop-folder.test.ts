import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { saveCheckpoint } from "../../src/train/checkpoint.ts";
import { type TrainLoopOptions, trainLoop } from "../../src/train/loop.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heed-loop-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A run that learns nothing. */
const OPTIONS: TrainLoopOptions = {
  steps: 7,
  step: () => ({ loss: 1, tokens: 1 }),
  snapshot: () => ({ tensors: {}, state: null }),
  restore: () => {},
};

describe("trainLoop and its folder", () => {
  it("refuses a folder that another run writes to, and leaves it free when it ends, well or not", async () => {
    const options = { ...OPTIONS, checkpoint: { folder } };
    const second = () => trainLoop({ ...OPTIONS, checkpoint: { folder } });
    let refused: unknown;
    const step = async (k: number) => {
      if (k === 3) refused = await second().catch((error: unknown) => error);
      if (k === 5) throw new Error("it broke");
      return options.step(k);
    };
    await expect(trainLoop({ ...options, step })).rejects.toThrow("it broke");
    expect(refused).toMatchObject({
      code: "LOCKED",
      message: expect.stringContaining("got this process, since"),
    });
    expect(await readdir(folder)).toEqual([]);
    expect((await second()).stopped).toBe("done");
    expect(await readdir(folder)).not.toContain(".lock");
  });

  it.each<[string, unknown]>([
    ["nothing", null],
    ["no evaluation", { stopping: { best: null, stale: 0 } }],
    ["a step that is text", { evaluatedAt: "5", stopping: { best: null, stale: 0 } }],
    ["a patience below 0", { evaluatedAt: 5, stopping: { best: null, stale: -1 } }],
    ["a best without score", { evaluatedAt: 5, stopping: { best: { step: 5 }, stale: 0 } }],
  ])("refuses a checkpoint whose state has %s", async (_, state) => {
    const path = await saveCheckpoint(folder, 5, { tensors: {}, state });
    await expect(trainLoop({ ...OPTIONS, checkpoint: { folder } })).rejects.toThrow(
      expect.objectContaining({
        code: "DAMAGED",
        message:
          "trainLoop: a checkpoint must hold the loop's own state, evaluatedAt and stopping, got other values in " +
          `${path}; use one that trainLoop wrote`,
      }),
    );
  });
});
