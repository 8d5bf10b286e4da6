/** What a build says to its service worker, and how that calls its caches. */

/** Written before the worker's code by tools/offline.mjs. Places are addresses below the worker's own folder, without a query. */
export interface OfflineManifest {
  /** A digest of all that follows, and of the worker itself. */
  readonly version: string;
  /** The files that are brought at once, by their place, each with the beginning of its SHA-256 in hexadecimal digits. */
  readonly shell: Readonly<Record<string, string>>;
  /** Files that are kept once they were asked for, such as models, likewise; a new version keeps those that are still the same. */
  readonly kept: Readonly<Record<string, string>>;
  /** Folders that the worker leaves alone: what a reader opened, and what changes. */
  readonly never: readonly string[];
  /** Whether whatever else is asked for is kept too, as long as this version is. */
  readonly keepsOthers: boolean;
}

/** What a page asks of its service worker. */
export interface Message {
  /** To take the place of the older version now. */
  readonly take?: boolean;
  /** To keep what lies in these folders, which was read before the worker came; absolute, with a slash at the end. */
  readonly keep?: readonly string[];
}

/** Hexadecimal digits of a digest that are written down. */
export const DIGITS = 32;

/** The caches of one folder of an origin; another copy of the pages beside it has its own. */
export class Caches {
  readonly shell: string;
  readonly kept: string;
  readonly #prefix: string;

  constructor(scope: string, version: string) {
    this.#prefix = `heed ${new URL(scope).pathname} `;
    this.shell = `${this.#prefix}shell ${version}`;
    this.kept = `${this.#prefix}kept`;
  }

  /** Of caches by their names, those of other versions of these pages. */
  others(names: readonly string[]): string[] {
    return names.filter((name) => name.startsWith(`${this.#prefix}shell `) && name !== this.shell);
  }

  /** Of caches by their names, all of these pages. */
  own(names: readonly string[]): string[] {
    return names.filter((name) => name.startsWith(this.#prefix));
  }
}

/**
 * The place of an address below a folder: "" and folders are their index.html; undefined for an address elsewhere.
 *
 * @example
 * placeOf("https://a.test/b/", "https://a.test/b/?x#y"); // "index.html"
 * placeOf("https://a.test/b/", "https://a.test/c.html"); // undefined
 */
export function placeOf(scope: string, address: string): string | undefined {
  const [plain] = address.split(/[?#]/);
  if (!plain?.startsWith(scope)) return undefined;
  const place = plain.slice(scope.length);
  return place === "" || place.endsWith("/") ? `${place}index.html` : place;
}
