import { setTimeout as sleep } from "node:timers/promises";
import { DownloadError, type Fault } from "../core/errors.ts";
import { OP, Retry } from "./request.ts";

export interface RetryOptions {
  readonly signal?: AbortSignal;
  /** Requests in all, the first one included. @default 8 */
  readonly attempts?: number;
  /** The wait before the second request, in milliseconds; doubled each time. @default 250 */
  readonly retryDelayMs?: number;
  /** How long a server may ask to be left alone (`Retry-After`), in milliseconds. @default 120000 */
  readonly mostWaitMs?: number;
}

/** What is to come, for the errors of what did not. */
export interface Wanted {
  readonly url: string;
  /** What must come, as a sentence goes on: "all 70 bytes". */
  readonly what: string;
  /** What has come so far. */
  readonly got: () => string;
  /** What keeps what came, or not. */
  readonly again: string;
  readonly details: () => Readonly<Record<string, unknown>>;
}

/**
 * Repeats a request for as long as another one may cure what went wrong, with longer and longer waits, or those that the
 * server asks for.
 *
 * @throws DownloadError DOWNLOAD when it is stopped, or no attempt is left
 */
export async function withRetries<T>(
  wanted: Wanted,
  options: RetryOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  const { signal, attempts = 8, retryDelayMs = 250, mostWaitMs = 120_000 } = options;
  const { url, what, again } = wanted;
  const failed = (fault: Pick<Fault, "rule" | "got" | "remedy">, more: object, cause?: unknown) =>
    new DownloadError("DOWNLOAD", { op: OP, ...fault, url, ...wanted.details(), ...more }, { cause });
  for (let failures = 0; ; failures++) {
    try {
      signal?.throwIfAborted();
      return await attempt();
    } catch (error) {
      if (signal?.aborted) {
        const got = `${wanted.got()} from ${url} before it was stopped`;
        const fault = { rule: `${what} must come`, got, remedy: `run the same command, ${again}` };
        throw failed(fault, { stopped: true }, error);
      }
      if (!(error instanceof Retry)) throw error;
      if (error.waitMs > mostWaitMs) {
        const rule = `the server must take a request within ${mostWaitMs / 1000} s`;
        const seconds = Math.ceil(error.waitMs / 1000);
        const got = `${error.reason} from ${url}, to be asked again in ${seconds} s`;
        throw failed({ rule, got, remedy: `run the same command then, ${again}` }, { seconds });
      }
      if (failures + 1 >= attempts) {
        const rule = `${attempts} requests must bring ${what}`;
        const got = `${wanted.got()} from ${url} (the last: ${error.reason})`;
        const remedy = `check the network and run the same command, ${again}`;
        throw failed({ rule, got, remedy }, { attempts });
      }
      const wait = Math.max(retryDelayMs * 2 ** failures, error.waitMs);
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  }
}
