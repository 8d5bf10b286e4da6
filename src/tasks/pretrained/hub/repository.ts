/** What the hub says of a model: which commit its revision is, and the length and checksum of each file of it. */
import { DownloadError, OptionError } from "../../../core/errors.ts";
import { type ModelName, modelTitle } from "../../../data/model-name.ts";
import { checkAddress, type RequestOptions, Retry, refusedStatus, request } from "../../../data/request.ts";
import { type RetryOptions, withRetries } from "../../../data/retries.ts";
import { HUB, listingAddress, OP, parseRepository, type Repository, strange } from "./listing.ts";

const MOST_ANSWER = 16 * 2 ** 20;

/** How to ask a hub. */
export interface HubOptions extends RequestOptions, RetryOptions {
  /** Its address. @default the environment's HF_ENDPOINT, else https://huggingface.co */
  readonly endpoint?: string;
  /** Proves who asks, and is sent to that hub alone. @default the environment's HF_TOKEN, else none */
  readonly token?: string;
}

/** Options with the address and the token of the environment. */
export type Hub = Omit<HubOptions, "endpoint" | "secure"> & { readonly endpoint: string };

/** @throws OptionError OPTION for a token that cannot be sent · DownloadError DOWNLOAD for an address that is none */
export function hubOf(options: HubOptions): Hub {
  const { HF_ENDPOINT, HF_TOKEN } = process.env;
  const { endpoint = HF_ENDPOINT, token = HF_TOKEN, ...others } = options;
  const given = token?.trim() || undefined;
  if (given !== undefined && !/^[\x21-\x7e]+$/.test(given)) {
    // What was given is a secret, whatever it is.
    const rule = "a token must be of letters, digits and signs alone";
    const fault = { op: OP, rule, got: "other characters", remedy: "set HF_TOKEN to the token itself" };
    throw new OptionError("OPTION", fault);
  }
  const secured = { ...others, secure: true, elsewhere: "set HF_ENDPOINT to a mirror" };
  const address = (endpoint?.trim() || HUB).replace(/\/+$/, "");
  checkAddress(address, secured);
  return { ...secured, endpoint: address, ...(given !== undefined && { token: given }) };
}

/**
 * Asks the hub for a revision of a model.
 *
 * @throws DownloadError DOWNLOAD
 */
export async function readRepository(hub: Hub, name: ModelName): Promise<Repository> {
  const url = listingAddress(hub, name);
  const wanted = {
    url,
    what: "what the hub says of the model",
    got: () => "nothing whole",
    again: "it begins again",
    details: () => ({}),
  };
  const bytes = await withRetries(wanted, hub, () =>
    request(url, { accept: "application/json" }, hub, (response, onBytes) =>
      readBody(url, response, hub, onBytes),
    ),
  );
  return parseRepository(bytes, url);
}

async function readBody(
  url: string,
  response: Response,
  hub: Hub,
  onBytes: (bytes: number) => void,
): Promise<Uint8Array> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw refusedStatus(url, response, hub);
  }
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of response.body ?? []) {
    onBytes(chunk.byteLength);
    chunks.push(chunk);
    received += chunk.byteLength;
    if (received > MOST_ANSWER) throw strange(url, `more than ${MOST_ANSWER} bytes`);
  }
  const length = Number(response.headers.get("content-length") ?? received);
  // Of a packed answer the length is another.
  if (received < length && response.headers.get("content-encoding") === null)
    throw new Retry(`the line was cut at byte ${received}`);
  return Buffer.concat(chunks);
}

/** Why the hub does not let one read a model, where that is what its answer says; else the error as it came. */
export function hubRefusal(error: unknown, hub: Hub, name: ModelName): unknown {
  if (!(error instanceof DownloadError) || typeof error.details.status !== "number") return error;
  const { status, word, url } = error.details;
  const title = modelTitle(name);
  const page = `${hub.endpoint}/${title}`;
  const got = `${status}${word ? ` ${word}` : ""} for ${url}`;
  const fault = (rule: string, remedy: string) =>
    new DownloadError("DOWNLOAD", { ...error.details, op: OP, rule, got, remedy }, { cause: error });
  if (status === 401 || status === 403) {
    const remedy = hub.token
      ? `accept its terms at ${page} with the account of HF_TOKEN, or set a token that may read it`
      : `check the name; where it is private or has terms, accept them at ${page} and set HF_TOKEN`;
    return fault(`${title} must be there and open to you`, remedy);
  }
  if (status !== 404) return error;
  if (name.revision !== undefined)
    return fault(`${title} must be there, at revision ${name.revision}`, `see ${page}`);
  return fault(`${title} must be there`, `check the name, or see ${page}`);
}
