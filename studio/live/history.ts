/** States that were, and that were undone; immutable, so that an element redraws when one takes another's place. */
export interface History<T> {
  readonly now: T;
  readonly before: readonly T[];
  readonly undone: readonly T[];
}

/** The most states that can be undone. */
const MOST = 100;

/**
 * A history of one state.
 *
 * @example
 * const history = changedTo(beginning([]), ["a"]);
 * undo(history).now; // []
 * redo(undo(history)).now; // ["a"]
 */
export const beginning = <T>(now: T): History<T> => ({ now, before: [], undone: [] });

/** The history with a new state; what was undone is forgotten. */
export function changedTo<T>({ now, before }: History<T>, next: T): History<T> {
  return { now: next, before: [...before, now].slice(-MOST), undone: [] };
}

/** The history with another state in the place of the newest: a slider that is dragged is one change. */
export const replaced = <T>(history: History<T>, now: T): History<T> => ({ ...history, now });

/** One step back; the same where there is none. */
export function undo<T>(history: History<T>): History<T> {
  const { now, before, undone } = history;
  if (before.length === 0) return history;
  return { now: before.at(-1)!, before: before.slice(0, -1), undone: [now, ...undone] };
}

/** One step forth again; the same where there is none. */
export function redo<T>(history: History<T>): History<T> {
  const { now, before, undone } = history;
  if (undone.length === 0) return history;
  return { now: undone[0]!, before: [...before, now], undone: undone.slice(1) };
}
