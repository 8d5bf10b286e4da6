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
  /** A line that brings fewer bytes a second for `silenceMs` counts as silent. @default 1000 */
  readonly leastBytesPerSecond?: number;
}

const OP = "download";

/** What another request may cure: a cut, silent or slow line, an overloaded server. */
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

/** What Node calls failures that no second request can cure: a name that is none, a certificate that is not valid. */
const HOPELESS = /^(?:ENOTFOUND|ERR_TLS_CERT|CERT_|ERR_INVALID_URL|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED)/;

function cannotWork(url: string, got: string, cause?: unknown): DownloadError<"DOWNLOAD"> {
  const rule = "the address must be one that a server can answer, http: or https:";
  const remedy = "correct it, or name a mirror with --url";
  return new DownloadError("DOWNLOAD", { op: OP, rule, got, remedy, url }, { cause });
}

/** @throws DownloadError DOWNLOAD for what no request can be made to */
function checkAddress(url: string): void {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  const isWeb = address?.protocol === "http:" || address?.protocol === "https:";
  if (!address || !isWeb) throw cannotWork(url, url);
  if (address.username !== "" || address.password !== "")
    throw cannotWork(url, `a name or password in that of ${address.host}`);
}

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
    const { silenceMs = 30_000, leastBytesPerSecond = 1000 } = this.#options;
    const timer = setTimeout(() => silence.abort(new Retry(`no byte for ${silenceMs} ms`)), silenceMs);
    let recent = 0;
    const rate = setInterval(() => {
      if (recent < (leastBytesPerSecond * silenceMs) / 1000)
        silence.abort(new Retry(`no more than ${recent} bytes in ${silenceMs} ms`));
      recent = 0;
    }, silenceMs);
    const signals = [silence.signal, ...(this.#options.signal ? [this.#options.signal] : [])];
    try {
      const signal = AbortSignal.any(signals);
      const response = await fetch(this.#options.url, { headers: this.#headers(), signal });
      const from = await this.#accept(response);
      await this.#write(response, from, (bytes) => {
        timer.refresh();
        recent += bytes;
      });
    } catch (error) {
      if (this.#options.signal?.aborted || error instanceof DownloadError || isFileFailure(error))
        throw error;
      const { code = "", message = "" } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      if (HOPELESS.test(code) || message === "bad port")
        throw cannotWork(this.#options.url, `${reasonOf(error)} for ${this.#options.url}`, error);
      throw error instanceof Retry ? error : new Retry(reasonOf(error));
    } finally {
      clearTimeout(timer);
      clearInterval(rate);
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
      const { status } = response;
      const rule = "the server must answer 200 or 206";
      const remedy = "try later, or name a mirror with --url";
      const got = `${status} for ${url}`;
      await refuse(new DownloadError("DOWNLOAD", { op: OP, rule, got, remedy, url, status }));
    }
    const length = response.headers.get("content-length");
    if (length !== null && Number(length) !== bytes) {
      await refuse(otherLength(url, bytes, Number(length)));
    }
    rmSync(this.#path, { force: true });
    return 0;
  }

  async #write(response: Response, from: number, onBytes: (bytes: number) => void): Promise<void> {
    const { url, bytes, onProgress } = this.#options;
    const file = await open(this.#path, "a");
    let received = from;
    try {
      onProgress?.({ received, total: bytes });
      for await (const chunk of response.body ?? []) {
        onBytes(chunk.byteLength);
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
      throw otherLength(url, bytes, received);
    }
    if (received < bytes) throw new Retry(`the line was cut at byte ${received}`);
  }
}

function otherLength(url: string, bytes: number, got: number): DownloadError<"MISMATCH"> {
  return new DownloadError("MISMATCH", {
    op: OP,
    rule: `the file must have ${bytes} bytes`,
    got: `${got} from ${url}, and none of them was kept`,
    remedy: "that address serves another file, name a mirror with --url",
    url,
  });
}

/** A failed system call on the part file; `fetch` wraps those of the network in a TypeError. */
function isFileFailure(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

/**
 * Downloads to `path`, going on from the bytes that are there, until length and checksum are right.
 *
 * @throws DownloadError DOWNLOAD (what came is kept), MISMATCH for another length or checksum (the file is removed)
 */
export async function download(path: string, options: DownloadOptions): Promise<void> {
  const { url, bytes, sha256, signal, attempts = 8, retryDelayMs = 250 } = options;
  checkAddress(url);
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
      if (!resumed) {
        throw new DownloadError("MISMATCH", {
          op: OP,
          rule: `the file must have sha256 ${sha256}`,
          got: `${got} from ${url}, so it was removed`,
          remedy: "try again, or name a mirror with --url",
          url,
        });
      }
      resumed = false;
    } catch (error) {
      if (signal?.aborted) {
        const rule = `all ${bytes} bytes must come`;
        const got = `${state.received} from ${url} before it was stopped`;
        const remedy = "run the same command, it goes on from there";
        const details = { op: OP, rule, got, remedy, url, received: state.received, bytes, stopped: true };
        throw new DownloadError("DOWNLOAD", details, { cause: error });
      }
      if (!(error instanceof Retry)) throw error;
      const { received } = state;
      resumed ||= received > 0;
      if (failures + 1 >= attempts) {
        const rule = `${attempts} requests must bring all ${bytes} bytes`;
        const got = `${received} from ${url} (the last: ${error.reason})`;
        const remedy = "check the network and run the same command, it goes on from there";
        throw new DownloadError("DOWNLOAD", { op: OP, rule, got, remedy, url, received, bytes, attempts });
      }
      await sleep(retryDelayMs * 2 ** failures, undefined, { signal }).catch(() => {});
    }
  }
}
