/**
 * One file by HTTP, whole or not at all: its length and sha256 are known beforehand, a cut line is resumed at its
 * byte (RFC 9110 §14, `Range`, with `If-Range` where the server gave an `ETag`), and bytes that fail the checksum are
 * removed.
 */
import { createHash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { DownloadError } from "../core/errors.ts";
import { bytesIn } from "./part.ts";

export interface DownloadProgress {
  readonly received: number;
  readonly total: number;
}

export interface DownloadOptions {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Requests in all, the first one included. @default 8 */
  readonly attempts?: number;
  /** The wait before the second request, in milliseconds; doubled each time. @default 250 */
  readonly retryDelayMs?: number;
  /** How long the line may be silent, in milliseconds. @default 30000 */
  readonly silenceMs?: number;
}

/** What another request may cure: a cut or silent line, an overloaded server. */
class Retry {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

const OVERLOADED = [408, 429, 500, 502, 503, 504];
const CONTENT_RANGE = /^bytes (\d+)-\d+\/(\d+)$/;

const reasonOf = (error: unknown): string => {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
};

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** A download under way: the part file and what the server said of it. */
class Download {
  readonly #path: string;
  readonly #options: DownloadOptions;
  #etag: string | null = null;

  constructor(path: string, options: DownloadOptions) {
    this.#path = path;
    this.#options = options;
  }

  get received(): number {
    return bytesIn(this.#path);
  }

  /** Asks for the missing bytes and writes what comes. */
  async request(): Promise<void> {
    const silence = new AbortController();
    const silenceMs = this.#options.silenceMs ?? 30_000;
    const timer = setTimeout(() => silence.abort(new Retry(`no byte for ${silenceMs} ms`)), silenceMs);
    const signals = [silence.signal, ...(this.#options.signal ? [this.#options.signal] : [])];
    try {
      const signal = AbortSignal.any(signals);
      const response = await fetch(this.#options.url, { headers: this.#headers(), signal });
      const from = await this.#accept(response);
      await this.#write(response, from, () => timer.refresh());
    } catch (error) {
      if (this.#options.signal?.aborted || error instanceof DownloadError || isFileFailure(error))
        throw error;
      throw error instanceof Retry ? error : new Retry(reasonOf(error));
    } finally {
      clearTimeout(timer);
    }
  }

  #headers(): Record<string, string> {
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    const from = this.received;
    if (from === 0) return headers;
    headers.range = `bytes=${from}-`;
    // A weak tag may not be used to join bytes (RFC 9110 §13.1.5).
    if (this.#etag?.startsWith('"')) headers["if-range"] = this.#etag;
    return headers;
  }

  /** The byte at which this answer begins; removes the part when the server begins again. */
  async #accept(response: Response): Promise<number> {
    const { url, bytes } = this.#options;
    const refuse = async (error: unknown): Promise<never> => {
      await response.body?.cancel();
      throw error;
    };
    if (OVERLOADED.includes(response.status)) await refuse(new Retry(`status ${response.status}`));
    this.#etag = response.headers.get("etag");
    const have = this.received;
    if (response.status === 206) {
      const [, from, total] = CONTENT_RANGE.exec(response.headers.get("content-range") ?? "") ?? [];
      if (Number(from) === have && Number(total) === bytes) return have;
      rmSync(this.#path, { force: true });
      await refuse(new Retry("other bytes than asked for"));
    }
    if (response.status === 416) {
      rmSync(this.#path, { force: true });
      await refuse(new Retry("no such bytes"));
    }
    if (response.status !== 200) {
      await refuse(new DownloadError("DOWNLOAD_STATUS", { op: "download", url, status: response.status }));
    }
    const length = response.headers.get("content-length");
    if (length !== null && Number(length) !== bytes) {
      await refuse(new DownloadError("DOWNLOAD_LENGTH", { op: "download", url, bytes, got: Number(length) }));
    }
    rmSync(this.#path, { force: true });
    return 0;
  }

  async #write(response: Response, from: number, onBytes: () => void): Promise<void> {
    const { url, bytes, onProgress } = this.#options;
    const file = await open(this.#path, "a");
    let received = from;
    try {
      onProgress?.({ received, total: bytes });
      for await (const chunk of response.body ?? []) {
        onBytes();
        await file.appendFile(chunk);
        received += chunk.byteLength;
        onProgress?.({ received: Math.min(received, bytes), total: bytes });
        if (received > bytes) break;
      }
    } finally {
      await file.close();
    }
    if (received > bytes) {
      rmSync(this.#path, { force: true });
      throw new DownloadError("DOWNLOAD_LENGTH", { op: "download", url, bytes, got: received });
    }
    if (received < bytes) throw new Retry(`the line was cut at byte ${received}`);
  }
}

/** A failed system call on the part file; `fetch` wraps those of the network in a TypeError. */
function isFileFailure(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

/**
 * Downloads to `path`, going on from the bytes that are there, until length and checksum are right.
 *
 * @throws DownloadError DOWNLOAD_STATUS, DOWNLOAD_LENGTH, DOWNLOAD_CHECKSUM (the file is removed), DOWNLOAD_CUT and
 *   DOWNLOAD_STOPPED (what came is kept)
 */
export async function download(path: string, options: DownloadOptions): Promise<void> {
  const { url, bytes, sha256, signal, attempts = 8, retryDelayMs = 250 } = options;
  const state = new Download(path, options);
  let resumed = state.received > 0;
  for (let failures = 0; ; failures++) {
    const before = state.received;
    try {
      signal?.throwIfAborted();
      if (before !== bytes) await state.request();
      const got = await sha256Of(path);
      if (got === sha256) return;
      rmSync(path, { force: true });
      // Its first bytes may have been of another version of the file, so a resumed one gets a fresh start, once.
      if (!resumed) throw new DownloadError("DOWNLOAD_CHECKSUM", { op: "download", url, sha256, got });
      resumed = false;
    } catch (error) {
      if (signal?.aborted) {
        throw new DownloadError(
          "DOWNLOAD_STOPPED",
          { op: "download", url, received: state.received, bytes },
          { cause: error },
        );
      }
      if (!(error instanceof Retry)) throw error;
      const { received } = state;
      resumed ||= received > 0;
      if (failures + 1 >= attempts) {
        const { reason } = error;
        throw new DownloadError("DOWNLOAD_CUT", { op: "download", url, received, bytes, attempts, reason });
      }
      await sleep(retryDelayMs * 2 ** failures, undefined, { signal }).catch(() => {});
    }
  }
}
