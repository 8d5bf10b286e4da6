/** The pages of the path, in their order; each is a page of its own with its steps as sections. */
export const CHAPTERS = [
  { page: "learn", title: "From a dot product to attention" },
  { page: "learn-scores", title: "Scores, masks and choices" },
  { page: "learn-layers", title: "Heads, positions and gates" },
  { page: "learn-glimpses", title: "Glimpses: looking at pictures" },
  { page: "learn-fast", title: "From memory to flash attention" },
] as const;

/** What comes after the path. */
export const AFTER = { page: "live", title: "change a model that runs" } as const;

/** Beside the path. */
export const MORE = [
  { page: "papers", title: "The papers, with their equations" },
  { page: "article", title: "Soft visual attention, a story" },
] as const;

const KEY = "heed-learn";

/** The steps that were read, as `page#step`; none where the browser keeps nothing. */
export function readSteps(): ReadonlySet<string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return new Set(Array.isArray(kept) ? kept.filter((step) => typeof step === "string") : []);
  } catch {
    return new Set();
  }
}

export function keepStep(step: string): void {
  try {
    localStorage.setItem(
      KEY,
      JSON.stringify([...readSteps(), step].filter((one, n, all) => all.indexOf(one) === n)),
    );
  } catch {
    // A browser that keeps nothing shows the path all the same.
  }
}

export function forgetSteps(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // There was nothing.
  }
}
