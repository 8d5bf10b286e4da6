/**
 * One request by HTTP, read to its end: redirects are followed, a line that falls silent is cut, and a failure says whether
 * another request may cure it. A token goes to the host that it is for and to no other, wherever that redirects to.
 */
import { DownloadError } from "../core/errors.ts";
import { isFileFailure } from "../core/file-reason.ts";

export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** How long the line may be silent, in milliseconds. @default 30000 */
  readonly silenceMs?: number;
  /** A line that brings fewer bytes a second for `silenceMs` counts as silent. @default 1000 */
  readonly leastBytesPerSecond?: number;
  /** Proves who asks. Where there is one, the line must be https:, or end on this machine. */
  readonly token?: string;
  /** Whether the line must be https:, or end on this machine, without a token too. @default false */
  readonly secure?: boolean;
  /** Where else the same bytes may be had. @default "name a mirror with --url" */
  readonly elsewhere?: string;
}

/** What another request may cure: a cut, silent or slow line, an overloaded server. */
export class Retry {
  readonly reason: string;
  /** How long the server asks to be left alone, in milliseconds. */
  readonly waitMs: number;
  constructor(reason: string, waitMs = 0) {
    this.reason = reason;
    this.waitMs = waitMs;
  }
}

export const OP = "download";
export const ELSEWHERE = "name a mirror with --url";
const MOST_REDIRECTS = 10;
const OVERLOADED = [408, 429, 500, 502, 503, 504];
const REDIRECTS = [301, 302, 303, 307, 308];
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;
/** What Node calls failures that no second request can cure: a name that is none, a certificate that is not valid. */
const HOPELESS = /^(?:ENOTFOUND|ERR_TLS_CERT|CERT_|ERR_INVALID_URL|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED)/;

const reasonOf = (error: unknown): string => {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
};

function cannotWork(
  url: string,
  got: string,
  { elsewhere = ELSEWHERE }: RequestOptions,
  cause?: unknown,
): DownloadError<"DOWNLOAD"> {
  const rule = "the address must be one that a server can answer, http: or https:";
  const remedy = `correct it, or ${elsewhere}`;
  return new DownloadError("DOWNLOAD", { op: OP, rule, got, remedy, url }, { cause });
}

/** @throws DownloadError DOWNLOAD for what no request can be made to */
export function checkAddress(url: string, options: RequestOptions): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  const isWeb = address?.protocol === "http:" || address?.protocol === "https:";
  if (!address || !isWeb) throw cannotWork(url, url, options);
  if (address.username !== "" || address.password !== "")
    throw cannotWork(url, `a name or password in that of ${address.host}`, options);
  const mustBeSecure = options.secure || options.token !== undefined;
  if (mustBeSecure && address.protocol === "http:" && !LOOPBACK.test(address.hostname)) {
    const rule = "the address must be https:, or of this machine";
    const fault = { op: OP, rule, got: address.origin, remedy: "write https: in its place", url };
    throw new DownloadError("DOWNLOAD", fault);
  }
  return address;
}

/** The error of a status that no second request would change. */
export function refusedStatus(
  url: string,
  response: Response,
  { elsewhere = ELSEWHERE }: RequestOptions,
): DownloadError<"DOWNLOAD"> {
  const { status } = response;
  const rule = "the server must answer 200 or 206";
  // What the hub says of it in a word: GatedRepo, RevisionNotFound.
  const [word] = /^\w{1,40}$/.exec(response.headers.get("x-error-code") ?? "") ?? [];
  const remedy = `try later, or ${elsewhere}`;
  const got = `${status}${word ? ` ${word}` : ""} for ${url}`;
  return new DownloadError("DOWNLOAD", { op: OP, rule, got, remedy, url, status, word });
}

/** Seconds, or a date (RFC 9110 §10.2.3), as milliseconds from now. */
function retryAfterMs(response: Response): number {
  const given = response.headers.get("retry-after") ?? "";
  const ms = /^\d+$/.test(given) ? 1000 * Number(given) : Date.parse(given) - Date.now();
  return Math.max(ms || 0, 0);
}

/** Follows redirects by hand, to see each address before a byte goes there. */
async function follow(
  url: string,
  headers: Readonly<Record<string, string>>,
  options: RequestOptions,
  signal: AbortSignal,
): Promise<Response> {
  const home = checkAddress(url, options).origin;
  let address = new URL(url);
  let { token } = options;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    // A token that has left its host is not given to it again: that request would be another's.
    if (address.origin !== home) token = undefined;
    const sent = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
    const response = await fetch(address, { headers: sent, signal, redirect: "manual" });
    const location = response.headers.get("location");
    if (!REDIRECTS.includes(response.status) || location === null) return response;
    await response.body?.cancel();
    if (!URL.canParse(location, address.href)) throw cannotWork(url, "a redirect to no address", options);
    address = checkAddress(new URL(location, address.href).href, options);
  }
  throw cannotWork(url, `more than ${MOST_REDIRECTS} redirects from ${url}`, options);
}

/** Throws for answers that are no file, whatever was asked for: an overloaded server, a web page. */
async function checkAnswer(url: string, response: Response, options: RequestOptions): Promise<void> {
  const isPage = response.ok && /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
  const isOverloaded = OVERLOADED.includes(response.status);
  if (!isPage && !isOverloaded) return;
  await response.body?.cancel();
  if (isOverloaded) throw new Retry(`status ${response.status}`, retryAfterMs(response));
  const rule = "the server must answer with the file";
  const remedy = `see in a browser what stands there, or ${options.elsewhere ?? ELSEWHERE}`;
  throw new DownloadError("DOWNLOAD", { op: OP, rule, got: `a web page from ${url}`, remedy, url });
}

/**
 * Makes one request, and has `read` take its answer, of whatever status, but for an overloaded server's and a web page.
 *
 * @param read calls `onBytes` with each piece that comes
 * @throws DownloadError DOWNLOAD what no other request can cure · Retry what one may
 */
export async function request<T>(
  url: string,
  headers: Readonly<Record<string, string>>,
  options: RequestOptions,
  read: (response: Response, onBytes: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  const silence = new AbortController();
  const { silenceMs = 30_000, leastBytesPerSecond = 1000 } = options;
  const timer = setTimeout(() => silence.abort(new Retry(`no byte for ${silenceMs} ms`)), silenceMs);
  let recent = 0;
  const rate = setInterval(() => {
    if (recent < (leastBytesPerSecond * silenceMs) / 1000)
      silence.abort(new Retry(`no more than ${recent} bytes in ${silenceMs} ms`));
    recent = 0;
  }, silenceMs);
  try {
    const signal = AbortSignal.any([silence.signal, ...(options.signal ? [options.signal] : [])]);
    const response = await follow(url, headers, options, signal);
    await checkAnswer(url, response, options);
    return await read(response, (bytes) => {
      timer.refresh();
      recent += bytes;
    });
  } catch (error) {
    if (options.signal?.aborted || error instanceof DownloadError || isFileFailure(error)) throw error;
    const { code = "", message = "" } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (HOPELESS.test(code) || message === "bad port")
      throw cannotWork(url, `${reasonOf(error)} for ${url}`, options, error);
    throw error instanceof Retry ? error : new Retry(reasonOf(error));
  } finally {
    clearTimeout(timer);
    clearInterval(rate);
  }
}
