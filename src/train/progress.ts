import { SingleBar } from "cli-progress";

/** Where a run stands. */
export interface ProgressState {
  /** Steps done. */
  step: number;
  /** Steps of the whole run. */
  steps: number;
  /** Mean over the last steps; undefined before the first. */
  loss?: number;
  tokensPerSecond?: number;
  secondsLeft?: number;
  /** Best validation score so far. */
  best?: number;
}

/** Shows where a run stands. */
export interface Progress {
  update(state: ProgressState): void;
  /** A line that stays, such as the result of an evaluation. */
  log(line: string): void;
  stop(): void;
}

/** What a progress needs of `process.stderr`. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * The numbers of a run in one line.
 *
 * @example
 * progressText({ step: 1200, steps: 8000, loss: 2.3141, tokensPerSecond: 5120.4, secondsLeft: 200, best: 41.256 });
 * // "step 1,200 of 8,000 · loss 2.314 · 5,120 tokens/s · 3 min 20 s left · best 41.26"
 */
export function progressText({
  step,
  steps,
  loss,
  tokensPerSecond,
  secondsLeft,
  best,
}: ProgressState): string {
  const parts = [`step ${whole(step)} of ${whole(steps)}`];
  if (loss !== undefined) parts.push(`loss ${loss.toFixed(3)}`);
  if (tokensPerSecond !== undefined) parts.push(`${whole(tokensPerSecond)} tokens/s`);
  if (secondsLeft !== undefined) parts.push(`${durationText(secondsLeft)} left`);
  if (best !== undefined) parts.push(`best ${best.toFixed(2)}`);
  return parts.join(" · ");
}

/**
 * A duration in its two largest units.
 *
 * @example
 * durationText(7384); // "2 h 3 min"
 */
export function durationText(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

const whole = (x: number): string => Math.round(x).toLocaleString("en-US");

/**
 * A bar with the numbers on a terminal; elsewhere (a log file, a pipe) a plain line now and then.
 *
 * @param options.stream default `process.stderr`, so that results on `stdout` stay clean
 * @param options.everySeconds time between plain lines, default 30
 * @param options.now a clock in milliseconds
 *
 * @example
 * const progress = createProgress();
 * progress.update({ step: 3, steps: 10, loss: 1.5 });
 * progress.stop();
 */
export function createProgress({
  stream = process.stderr as ProgressStream,
  everySeconds = 30,
  now = Date.now,
} = {}): Progress {
  return stream.isTTY ? terminalBar(stream) : plainLines(stream, everySeconds * 1000, now);
}

function terminalBar(stream: ProgressStream): Progress {
  const bar = new SingleBar({
    format: "{bar} {percentage}% · {text}",
    barsize: 20,
    // A second Ctrl-C ends the process at once, and a hidden cursor would stay hidden.
    hideCursor: false,
    gracefulExit: false,
    // Else a bar that has not changed would not come back below a logged line.
    forceRedraw: true,
    stream: stream as NodeJS.WritableStream,
  });
  return {
    update(state) {
      const payload = { text: progressText(state) };
      if (bar.isActive) bar.update(state.step, payload);
      else bar.start(state.steps, state.step, payload);
    },
    log(line) {
      // Over the bar, to the end of the line; the bar draws itself anew below.
      stream.write(`\r\u001b[K${line}\n`);
      if (bar.isActive) bar.render();
    },
    stop: () => bar.stop(),
  };
}

function plainLines(stream: ProgressStream, everyMs: number, now: () => number): Progress {
  let shownAt = -Infinity;
  let latest: ProgressState | undefined;
  const show = () => {
    if (latest) stream.write(`${progressText(latest)}\n`);
    latest = undefined;
    shownAt = now();
  };
  return {
    update(state) {
      latest = state;
      if (now() - shownAt >= everyMs) show();
    },
    log: (line) => void stream.write(`${line}\n`),
    // The state at the end, unless it was the last line already.
    stop: show,
  };
}
