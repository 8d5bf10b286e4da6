import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createProgress, durationText, progressText } from "../../src/train/progress.ts";

function recorder(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  return { stream, text: () => text };
}

describe("progressText", () => {
  it("puts all numbers in one line", () => {
    const state = {
      step: 1200,
      steps: 8000,
      loss: 2.3141,
      tokensPerSecond: 5120.4,
      secondsLeft: 200,
      best: 41.256,
    };
    expect(progressText(state)).toBe(
      "step 1,200 of 8,000 · loss 2.314 · 5,120 tokens/s · 3 min 20 s left · best 41.26",
    );
  });

  it("leaves out what is not known yet", () => {
    expect(progressText({ step: 0, steps: 13 })).toBe("step 0 of 13");
  });
});

it("durationText says a duration in its two largest units", () => {
  expect([-1, 0.4, 59.4, 59.6, 3599, 3600, 7384, 360_000].map(durationText)).toEqual([
    "0 s",
    "0 s",
    "59 s",
    "1 min 0 s",
    "59 min 59 s",
    "1 h 0 min",
    "2 h 3 min",
    "100 h 0 min",
  ]);
});

describe("createProgress", () => {
  it("writes a plain line at most every N seconds where there is no terminal, and the end once", () => {
    const { stream, text } = recorder(false);
    let ms = 0;
    const progress = createProgress({ stream, everySeconds: 30, now: () => ms });
    for (let step = 1; step <= 70; step++) {
      ms = step * 1000;
      progress.update({ step, steps: 70 });
      if (step === 40) progress.log("score 41");
    }
    progress.stop();
    progress.stop();
    expect(text()).toBe("step 1 of 70\nstep 31 of 70\nscore 41\nstep 61 of 70\nstep 70 of 70\n");
  });

  it("draws a bar on a terminal and keeps logged lines above it", () => {
    const { stream, text } = recorder(true);
    const progress = createProgress({ stream });
    progress.update({ step: 5, steps: 10, loss: 1.5 });
    progress.log("score 41");
    progress.stop();
    const bar = "50% · step 5 of 10 · loss 1.500";
    expect(text()).toContain(bar);
    expect(text()).toContain("\r\u001b[Kscore 41\n");
    expect(text().slice(text().indexOf("score 41"))).toContain(bar);
    expect(text().endsWith("\n")).toBe(true);
  });

  it("never hides the cursor, which a second Ctrl-C would leave hidden, nor listens for signals", () => {
    const { stream, text } = recorder(true);
    const listeners = process.listenerCount("SIGINT");
    const progress = createProgress({ stream });
    progress.update({ step: 5, steps: 10 });
    expect(process.listenerCount("SIGINT")).toBe(listeners);
    progress.stop();
    expect(text()).not.toContain("\u001b[?25l");
  });

  it("can be stopped before it began", () => {
    const { stream, text } = recorder(true);
    createProgress({ stream }).stop();
    expect(text()).toBe("");
  });
});
