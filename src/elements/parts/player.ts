import type { ReactiveController, ReactiveControllerHost } from "lit";

/** From one step to the next, in milliseconds. */
const PACE = 800;

/**
 * Steps on by itself until the last step, or until it is stopped. Where the reader's system asks for less motion it takes
 * a single step.
 */
export class Player implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #step: () => boolean;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param step takes one step; says whether there is another one */
  constructor(host: ReactiveControllerHost, step: () => boolean) {
    this.#host = host;
    this.#step = step;
    host.addController(this);
  }

  get label(): string {
    return this.#timer ? "Stop" : "Play";
  }

  readonly toggle = (): void => {
    const isPlaying = this.#timer !== undefined;
    this.stop();
    if (!isPlaying && this.#step() && !matchMedia("(prefers-reduced-motion: reduce)").matches)
      this.#timer = setInterval(() => this.#step() || this.stop(), PACE);
  };

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#host.requestUpdate();
  }

  hostDisconnected(): void {
    this.stop();
  }
}
