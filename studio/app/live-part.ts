declare global {
  interface ImportMeta {
    /** Vite's: modules by a pattern, each loaded when it is called. */
    glob(pattern: string): Record<string, () => Promise<unknown>>;
  }
}

/** What loads `<live-models>`; none in a build without it. */
const [load] = Object.values(import.meta.glob("../live/live-models.ts"));

export const hasLive = load !== undefined;

/** Defines `<live-models>`, with TensorFlow.js and all that runs models, when it is first wanted. */
export async function loadLive(): Promise<void> {
  await load?.();
}
