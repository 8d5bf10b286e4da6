/** What a reader typed, kept for a reload of the same tab; another tab has its own. Never in an address, which is shared. */
const PREFIX = "heed live ";

/**
 * What was kept under a name.
 *
 * @param otherwise where nothing was, or the browser keeps nothing for this page
 */
export function kept(name: string, otherwise: string): string {
  try {
    return sessionStorage.getItem(PREFIX + name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keeps a text; one that is too long for the browser is not kept. */
export function keep(name: string, text: string): void {
  try {
    sessionStorage.setItem(PREFIX + name, text);
  } catch {
    // A reload then begins with what every reader is shown.
  }
}
