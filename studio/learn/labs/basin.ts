import { html, nothing, svg, type TemplateResult } from "lit";
import { grayPicture } from "../gray-picture.ts";
import { Lab } from "../lab.ts";
import { CROP, distanceOf, FOUND, type Kind, PLACE, type Point, pictureOf, SIDE, search } from "../search.ts";

const KINDS = ["gaussian", "transformer"] as const;
const COLORS = {
  gaussian: "light-dark(#0b57d0, #8ab4f8)",
  transformer: "light-dark(#b35806, #f0a25a)",
} as const;
const SAYS = { gaussian: "the Gaussian glimpse", transformer: "the spatial transformer" } as const;
const ZOOM = 6;

type Paths = Readonly<Record<Kind, readonly Point[]>>;

/** Both glimpses search the same crop by their gradients, from as far away as the reader says. */
class LabBasin extends Lab {
  static override properties = { ...Lab.properties, paths: { state: true }, isRunning: { state: true } };
  declare paths: Paths;
  declare isRunning: boolean;
  #turn = 0;
  #picture: string | undefined;

  constructor() {
    super();
    this.paths = { gaussian: [], transformer: [] };
    this.isRunning = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#turn++;
  }

  protected override set(key: string, value: number): void {
    super.set(key, value);
    this.#turn++;
    this.isRunning = false;
    this.paths = { gaussian: [], transformer: [] };
  }

  get #options() {
    const direction = (this.value("direction", 25) * Math.PI) / 180;
    return { offset: this.value("offset", 8), direction, sigma: this.value("sigma", 2), seed: 1 };
  }

  async #run(): Promise<void> {
    const turn = ++this.#turn;
    this.isRunning = true;
    this.paths = { gaussian: [], transformer: [] };
    const searches = KINDS.map((kind) => ({ kind, steps: search(kind, this.#options) }));
    try {
      for (let isGoing = true; isGoing; ) {
        isGoing = false;
        for (const { kind, steps } of searches) {
          const { value, done } = steps.next();
          if (turn !== this.#turn) return;
          if (done || !value) continue;
          isGoing = true;
          this.paths = { ...this.paths, [kind]: [...this.paths[kind], value] };
        }
        await new Promise((resolve) => setTimeout(resolve));
        if (turn !== this.#turn) return;
      }
      this.isRunning = false;
    } finally {
      for (const { steps } of searches) steps.return();
    }
  }

  protected override view(): TemplateResult {
    const { offset, direction } = this.#options;
    const start: Point = [PLACE + offset * Math.sin(direction), PLACE + offset * Math.cos(direction)];
    this.#picture ??= grayPicture(pictureOf(1));
    return html`<div class="sliders">${this.slider("offset", "Start, pixels away", [0, 12, 1], 8)}${this.slider("direction", "In which direction", [0, 345, 15], 25, (x) => `${x}°`)}
      ${this.slider("sigma", "First σ of the Gaussians", [0.5, 4, 0.5], 2)}</div>
      <div class="bar">${this.button(this.isRunning ? "Searching …" : "Search", () => void this.#run(), this.isRunning)}</div>
      <div class="row"><figure .style=${"inline-size:250px"}><svg width=${SIDE * ZOOM} height=${SIDE * ZOOM} viewBox=${`0 0 ${SIDE * ZOOM} ${SIDE * ZOOM}`} role="img" aria-label="The picture, the place that is searched, and where both glimpses are">
        <image href=${this.#picture} width=${SIDE * ZOOM} height=${SIDE * ZOOM} .style=${"image-rendering:pixelated"}></image>
        ${KINDS.map((kind) => this.#track(kind, start))}${box([PLACE, PLACE], "#00e676", "3 7")}</svg>
        <figcaption>The true place dashed in green; ${KINDS.map(
          (kind) =>
            html`<span .style=${`color:${COLORS[kind]};font-weight:600`}>${SAYS[kind]}</span>${kind === "gaussian" ? " and " : "."}`,
        )}</figcaption></figure>${this.#distances(offset)}</div>
      <p class="readout answer" aria-live="polite">${this.#sentence()}</p>`;
  }

  #track(kind: Kind, start: Point): TemplateResult {
    const path = this.paths[kind];
    const middle = ([y, x]: Point) => `${(x + CROP / 2) * ZOOM},${(y + CROP / 2) * ZOOM}`;
    const dash = kind === "transformer" ? "5 3" : "";
    return svg`${box(path.at(-1) ?? start, COLORS[kind], dash)}${
      path.length > 1
        ? svg`<polyline points=${path.map(middle).join(" ")} fill="none" stroke=${COLORS[kind]} stroke-width="2"></polyline>`
        : nothing
    }`;
  }

  #distances(offset: number): TemplateResult {
    const most = Math.max(offset, 2) * 1.15;
    const [x, y] = [
      (n: number) => 34 + n * 6.6,
      (distance: number) => 200 - 180 * Math.min(1, distance / most),
    ];
    return html`<figure .style=${"inline-size:312px"}><svg width="310" height="235" viewBox="0 0 310 235" role="img" aria-label="The distance from the true place, step by step">
      <path d="M32 16V200H304" fill="none" stroke="var(--heed-line)"></path><text x="28" y="204" text-anchor="end">0</text><text x="28" y=${y(offset) + 4} text-anchor="end">${offset}</text>
      <line x1="32" x2="304" y1=${y(FOUND)} y2=${y(FOUND)} stroke="#2e7d32" stroke-dasharray="4 3"></line><text x="304" y="218" text-anchor="end">steps →</text>
      ${KINDS.map((kind) => svg`<polyline points=${this.paths[kind].map((point, n) => `${x(n)},${y(distanceOf(point))}`).join(" ")} fill="none" stroke=${COLORS[kind]} stroke-width="3" stroke-dasharray=${kind === "transformer" ? "7 4" : ""}></polyline>`)}
      </svg><figcaption>Pixels from the true place, step by step; below the green line it is found.</figcaption></figure>`;
  }

  #sentence(): string {
    if (this.isRunning) return "Both follow the gradient of the squared difference …";
    const ends = KINDS.flatMap((kind) => {
      const end = this.paths[kind].at(-1);
      return end ? [{ kind, distance: distanceOf(end) }] : [];
    });
    if (ends.length === 0) return "Choose how far away both start, and let them search.";
    return ends
      .map(({ kind, distance }) => {
        const says = SAYS[kind][0]!.toUpperCase() + SAYS[kind].slice(1);
        return distance < FOUND ? `${says} found it.` : `${says} ended ${distance.toFixed(1)} pixels away.`;
      })
      .join(" ");
  }
}

const box = ([y, x]: Point, color: string, dash: string) =>
  svg`<rect x=${x * ZOOM} y=${y * ZOOM} width=${CROP * ZOOM} height=${CROP * ZOOM} fill="none" stroke=${color} stroke-width="2.5" stroke-dasharray=${dash}></rect>`;

customElements.define("lab-basin", LabBasin);
