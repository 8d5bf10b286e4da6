import { EXIT, Exit, type Io } from "./io.ts";

/** A run over inputs that a reader brought, of which some may have had no answer. */
export interface FinishedRun {
  /** The command. */
  readonly name: string;
  readonly io: Io;
  /** Inputs, and those among them that had no answer. Why was said of each when it came. */
  readonly count: number;
  readonly failures: number;
  /** What one input is called. */
  readonly noun: string;
}

/**
 * Ends a run: where an input had no answer, says how many of them had none, and the exit code is 2.
 *
 * @throws Exit
 */
export function finishRun({ name, io, count, failures, noun }: FinishedRun): void {
  if (failures === 0) return;
  // Of one input there is nothing to count.
  if (count > 1) io.stderr.write(`${name}: ${failures} of ${count} ${noun}s had no answer\n`);
  throw new Exit(EXIT.usage);
}
