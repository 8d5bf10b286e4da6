import { MOST_PINS, type Selection } from "./selection.ts";

/** A head that stands beside the selected one. */
export type OtherHead = readonly [layer: number, head: number];

/** What a link to an element says of it. */
export interface ElementState extends Selection {
  readonly palette: string;
  /** How colours follow weights. */
  readonly colorScale?: string | undefined;
  /** Which view of several is in front. */
  readonly view?: string | undefined;
  /** Layer and head beside the selected one, where two are compared. */
  readonly other?: OtherHead | undefined;
}

/** An element that can be asked for its state and told one. */
export interface Stateful {
  get state(): ElementState;
  set state(part: Partial<ElementState>);
}

const NUMBERS = { l: "layer", h: "head", q: "query", k: "key" } as const;
const NAMES = { pal: "palette", sc: "colorScale", view: "view" } as const;
/** Moves closer together than this are one change of the address, in milliseconds. */
const PAUSE = 250;

/** The fragment with a state in it; what belongs to other prefixes stays. */
export function writeFragment(fragment: string, prefix: string, state: ElementState): string {
  const parameters = new URLSearchParams(fragment.slice(1));
  for (const [short, name] of Object.entries(NUMBERS)) parameters.set(prefix + short, `${state[name]}`);
  parameters.set(`${prefix}x`, state.byKey ? "1" : "0");
  parameters.set(`${prefix}pin`, state.pins.map(({ query, key }) => `${query}.${key}`).join("_"));
  for (const [short, name] of Object.entries(NAMES))
    if (state[name] !== undefined) parameters.set(prefix + short, state[name]);
  writeOther(parameters, prefix, state.other);
  return `#${parameters}`;
}

/** Writes the head beside the selected one, `b=LAYER.HEAD`, or that there is none. */
export function writeOther(parameters: URLSearchParams, prefix: string, other: OtherHead | undefined): void {
  if (other) parameters.set(`${prefix}b`, other.join("."));
  else parameters.delete(`${prefix}b`);
}

/** The parts of a state that a fragment gives; what is no number where one belongs is left out. */
export function readFragment(fragment: string, prefix: string): Partial<ElementState> {
  const parameters = new URLSearchParams(fragment.slice(1));
  const state: Record<string, unknown> = {};
  for (const [short, name] of Object.entries(NUMBERS)) {
    const text = parameters.get(prefix + short);
    if (text !== null && /^\d{1,9}$/.test(text)) state[name] = Number(text);
  }
  const byKey = parameters.get(`${prefix}x`);
  if (byKey === "0" || byKey === "1") state.byKey = byKey === "1";
  for (const [short, name] of Object.entries(NAMES)) {
    const text = parameters.get(prefix + short);
    if (text !== null) state[name] = text;
  }
  const pairs = (name: string) =>
    [...(parameters.get(prefix + name) ?? "").matchAll(/(\d{1,9})\.(\d{1,9})/g)].map(([, a, b]) => [
      +a!,
      +b!,
    ]);
  const [other] = pairs("b");
  if (other) state.other = other;
  if (parameters.has(`${prefix}pin`))
    state.pins = pairs("pin")
      .slice(0, MOST_PINS)
      .map(([query, key]) => ({ query, key }));
  return state;
}

/**
 * Keeps an element and the fragment of the page's address in step; returns what ends that. Another layer, head or view
 * is a step of the history; a move within a map only corrects the address.
 */
export function followUrl(element: HTMLElement & Stateful, prefix: string): () => void {
  const place = () => {
    const { view, layer, head, other } = element.state;
    return [view, layer, head, other].join();
  };
  const read = () => {
    element.state = readFragment(location.hash, prefix);
    last = place();
  };
  let last = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    const fragment = writeFragment(location.hash, prefix, element.state);
    const isStep = place() !== last;
    last = place();
    history[isStep ? "pushState" : "replaceState"](history.state, "", fragment);
  };
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(write, PAUSE);
  };
  read();
  addEventListener("hashchange", read);
  for (const event of ["heed-select", "heed-state"]) element.addEventListener(event, changed);
  return () => {
    clearTimeout(timer);
    removeEventListener("hashchange", read);
    for (const event of ["heed-select", "heed-state"]) element.removeEventListener(event, changed);
  };
}
