/** Puts an element at a place in the one around it, in CSS pixels. */
export function place(element: HTMLElement, left: number, top: number, width: number, height: number): void {
  Object.assign(element.style, {
    left: `${left}px`,
    top: `${top}px`,
    width: `${width}px`,
    height: `${height}px`,
  });
}

/** Makes a canvas, as wide as its place, so high in CSS pixels, and clears it; the context counts in those. */
export function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const scale = globalThis.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [Math.floor(width * scale), Math.ceil(height * scale)];
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d")!;
  context.scale(scale, scale);
  return context;
}

/** A canvas of so many dots that stands nowhere, to draw on. */
export function offscreen(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  return canvas.getContext("2d")!;
}

/** In shares of an element's sides. */
export type Point = readonly [x: number, y: number];

/** Turns pixels of the page into shares of the element that has the event. */
export function shares(event: MouseEvent): (x: number, y: number) => Point {
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  return (x, y) => [(x - box.left) / box.width, (y - box.top) / box.height];
}
