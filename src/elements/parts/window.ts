/** The part of a map that is in view, in cells. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** As far as zooming goes: this many cells a side. */
const LEAST = 4;

export const wholeMap = (T: number, S: number): Window => ({ x: 0, y: 0, width: S, height: T });

export const isZoomed = (window: Window, T: number, S: number): boolean =>
  window.width < S || window.height < T;

function held(start: number, length: number, end: number): number {
  return Math.max(0, Math.min(end - length, start));
}

/** Makes the window smaller by a factor (larger below 1); the point at (atX, atY), as shares of it, stays in place. */
export function zoomed(
  window: Window,
  factor: number,
  T: number,
  S: number,
  atX: number,
  atY: number,
): Window {
  const width = Math.min(S, Math.max(Math.min(LEAST, S), window.width / factor));
  const height = Math.min(T, Math.max(Math.min(LEAST, T), window.height / factor));
  return {
    x: held(window.x + atX * (window.width - width), width, S),
    y: held(window.y + atY * (window.height - height), height, T),
    width,
    height,
  };
}

/** Moves the window by so many cells, as far as the map goes. */
export function panned(window: Window, dx: number, dy: number, T: number, S: number): Window {
  const { width, height } = window;
  return { x: held(window.x + dx, width, S), y: held(window.y + dy, height, T), width, height };
}

/** The window moved just enough to hold a cell; the same object where it does already. */
export function revealed(window: Window, query: number, key: number): Window {
  const into = (start: number, length: number, cell: number) =>
    cell < start ? cell : cell + 1 > start + length ? Math.max(0, cell + 1 - length) : start;
  const x = into(window.x, window.width, key);
  const y = into(window.y, window.height, query);
  return x === window.x && y === window.y ? window : { ...window, x, y };
}
