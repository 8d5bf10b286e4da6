import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { onTestFinished } from "vitest";
import { serve, status } from "../../../data/file-server.ts";

export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;
export type Files = Record<string, Buffer>;

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
export const MODEL = "heed-test/tiny-bert";

const digest = (algorithm: string, ...parts: (string | Uint8Array)[]) => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/** A file as the hub lists it: large ones, and those of weights, stand in Git LFS. */
export function sibling(name: string, content: Uint8Array): Record<string, unknown> {
  const size = content.length;
  const isLarge = /\.(?:safetensors|bin|gguf)$/.test(name);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${digest("sha256", content)}\nsize ${size}\n`;
  const inGit = isLarge ? Buffer.from(pointer) : content;
  return {
    rfilename: name,
    size,
    blobId: digest("sha1", `blob ${inGit.length}\0`, inGit),
    ...(isLarge && { lfs: { sha256: digest("sha256", content), size, pointerSize: inGit.length } }),
  };
}

/** The files of a folder, by name. */
export function filesOf(folder: string): Files {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => statSync(path.join(folder, name)).isFile());
  return Object.fromEntries(
    files.map((name) => [name.replaceAll("\\", "/"), readFileSync(path.join(folder, name))]),
  );
}

export const json = (value: unknown): Answer => {
  const body = typeof value === "string" ? value : JSON.stringify(value);
  return (_, response) => response.writeHead(200, { "content-type": "application/json" }).end(body);
};

export interface HubServer {
  /** http://127.0.0.1:… */
  readonly endpoint: string;
  /** What was asked for: path, range and authorization. */
  readonly requests: { path: string; range?: string; token?: string }[];
  /** Paths of files that were asked for. */
  asked(): string[];
}

export interface HubOptions {
  /** By name of a file, or "api": what answers the first requests for it, one each; then comes the file. */
  readonly first?: Record<string, Answer[]>;
  /** What the hub says of the model, besides or instead of the truth. */
  readonly says?: Record<string, unknown>;
  readonly revision?: string;
  readonly commit?: string;
  /** On every answer, such as those that let pages of other sites read it. */
  readonly headers?: Record<string, string>;
}

/** A hub with one model on 127.0.0.1; it closes with the test. */
export async function hubServer(files: Files, options: HubOptions = {}): Promise<HubServer> {
  const { says = {}, revision = "main", commit = COMMIT, headers: more = {} } = options;
  const first = copyOf(options.first ?? {});
  const requests: HubServer["requests"] = [];
  const siblings = Object.entries(files).map(([name, content]) => sibling(name, content));
  const prefix = `/${MODEL}/resolve/${commit}/`;
  const answerOf = (url: string): Answer => {
    if (url === `/api/models/${MODEL}/revision/${encodeURIComponent(revision)}?blobs=true`)
      return first.api?.shift() ?? json({ id: MODEL, sha: commit, siblings, ...says });
    if (url.startsWith("/api/models/")) return status(404, { "x-error-code": "RevisionNotFound" });
    const name = decodeURIComponent(url.slice(prefix.length));
    if (!url.startsWith(prefix) || !(name in files)) return status(404, { "x-error-code": "EntryNotFound" });
    return first[name]?.shift() ?? serve(files[name]!, { etag: `"${name}"` });
  };
  const server = createServer((request, response) => {
    const { url = "", headers } = request;
    requests.push({
      path: url,
      ...(headers.range && { range: headers.range }),
      ...(headers.authorization && { token: headers.authorization }),
    });
    for (const [name, value] of Object.entries(more)) response.setHeader(name, value);
    // What signs an address of a store stands behind it.
    answerOf(url.replace("?signed=1", ""))(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked = () =>
    requests
      .filter(({ path: url }) => url.startsWith(prefix))
      .map(({ path: url }) => url.slice(prefix.length));
  return { endpoint, requests, asked };
}

const copyOf = (lists: Record<string, Answer[]>): Record<string, Answer[]> =>
  Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, [...list]]));
