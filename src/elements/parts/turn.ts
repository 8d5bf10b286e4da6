/** Long work goes on for so many milliseconds before the page can answer its reader. */
export const TURN_MS = 24;

/** Takes steps until they are done or the time is up; says which by the last one. */
export function advance<T>(
  steps: Generator<undefined, T, undefined>,
  until: number,
): IteratorResult<undefined, T> {
  let step: IteratorResult<undefined, T>;
  do step = steps.next();
  while (!step.done && performance.now() < until);
  return step;
}
