import { type Point, shares } from "../parts/place.ts";

/** What a hand does on a chart. */
export interface Gestures {
  /** The pointer stands over a point of the plot, in shares of its sides. */
  hover(x: number, y: number): void;
  /** A click or a tap there. */
  press(x: number, y: number, touch: boolean): void;
  /** Dragged by so many shares. */
  drag(dx: number, dy: number): void;
  /** Dragged with Shift, from one point to another. */
  brush(from: Point, to: Point): void;
  /** Zoomed by a factor around a point. */
  zoom(factor: number, x: number, y: number): void;
}

/** Farther than this many pixels is a drag. */
const SLACK = 5;

/** Tells hovering, tapping, dragging and pinching apart. Its handlers go on the element that covers the plot. */
export class Pointer {
  readonly #gestures: Gestures;
  readonly #down = new Map<number, { x: number; y: number }>();
  #dragged = false;
  /** Where a drag with Shift began. */
  #corner: Point | undefined;

  constructor(gestures: Gestures) {
    this.#gestures = gestures;
  }

  readonly down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    this.#down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#down.size > 1) return;
    this.#dragged = false;
    this.#corner = event.shiftKey ? shares(event)(event.clientX, event.clientY) : undefined;
  };

  readonly move = (event: PointerEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const share = shares(event);
    const last = this.#down.get(event.pointerId);
    if (!last) {
      const [x, y] = share(event.clientX, event.clientY);
      if (event.pointerType !== "touch" && inside(x, y)) this.#gestures.hover(x, y);
      return;
    }
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    if (!this.#dragged && Math.hypot(dx, dy) < SLACK) return;
    if (!this.#dragged) (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    this.#dragged = true;
    const [other] = [...this.#down].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    if (other) {
      const before = Math.hypot(last.x - other.x, last.y - other.y);
      const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
      const [x, y] = share((event.clientX + other.x) / 2, (event.clientY + other.y) / 2);
      if (before > 0) this.#gestures.zoom(after / before, x, y);
    } else if (this.#corner) {
      const to = share(event.clientX, event.clientY);
      if (inside(...to)) this.#gestures.brush(this.#corner, to);
    } else this.#gestures.drag(dx / box.width, dy / box.height);
    this.#down.set(event.pointerId, { x: event.clientX, y: event.clientY });
  };

  readonly up = (event: PointerEvent): void => {
    if (!this.#down.delete(event.pointerId) || this.#dragged) return;
    const [x, y] = shares(event)(event.clientX, event.clientY);
    if (inside(x, y)) this.#gestures.press(x, y, event.pointerType === "touch");
  };

  readonly cancel = (event: PointerEvent): void => {
    this.#down.delete(event.pointerId);
  };

  /** Ctrl and the wheel zoom; the plain wheel scrolls the page. Not passive, or the browser would zoom the page. */
  readonly wheel = {
    passive: false,
    handleEvent: (event: WheelEvent): void => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const [x, y] = shares(event)(event.clientX, event.clientY);
      this.#gestures.zoom(2 ** (-event.deltaY / 200), x, y);
    },
  };
}

const inside = (x: number, y: number) => x >= 0 && x < 1 && y >= 0 && y < 1;
