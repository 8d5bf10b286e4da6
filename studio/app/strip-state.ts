/** How the strip of tokens is set, and the part of the address that says so. */
export interface StripState {
  /** Whether pieces of a word are put together. */
  readonly isWhole: boolean;
  /** Whether marks such as [CLS] are hidden. */
  readonly hidesSpecial: boolean;
  /** The share of a query's weight whose keys are marked, 0 … 1. */
  readonly mass: number;
}

export const FIRST_STRIP: StripState = { isWhole: false, hidesSpecial: false, mass: 0.7 };

/**
 * The fragment with the state in it; what others wrote there stays.
 *
 * @example
 * writeStrip("#d=caption", { isWhole: true, hidesSpecial: false, mass: 0.5 }); // "#d=caption&w=1&sp=1&mass=0.5"
 */
export function writeStrip(fragment: string, { isWhole, hidesSpecial, mass }: StripState): string {
  const parameters = new URLSearchParams(fragment.slice(1));
  parameters.set("w", isWhole ? "1" : "0");
  parameters.set("sp", hidesSpecial ? "0" : "1");
  parameters.set("mass", String(mass));
  return `#${parameters}`;
}

/** The state that a fragment gives; what is missing or wrong there is as at first. */
export function readStrip(fragment: string): StripState {
  const parameters = new URLSearchParams(fragment.slice(1));
  const mass = Number(parameters.get("mass") ?? Number.NaN);
  return {
    isWhole: parameters.get("w") === "1",
    hidesSpecial: parameters.get("sp") === "0",
    mass: mass > 0 && mass <= 1 ? mass : FIRST_STRIP.mass,
  };
}
