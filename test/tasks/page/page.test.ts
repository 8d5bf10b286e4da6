import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadTranslator } from "../../../src/tasks/index.ts";
import { SHIPPED_MODELS } from "../../../src/tasks/model-folder.ts";
import { fetchFiles, openTranslator } from "../../../src/tasks/page/index.ts";

let server: Server;
let base: string;
/** The models that ship, and as servers of pages do, a page for what is not there below /pages. */
beforeAll(async () => {
  server = createServer((request, answer) => {
    const place = request.url ?? "/";
    if (place.startsWith("/pages/")) {
      answer.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      return answer.end("<!doctype html>");
    }
    try {
      answer.end(readFileSync(path.join(SHIPPED_MODELS, place)));
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise<void>((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

test.each([
  ["translation-en", "es"],
  ["translation-en-fr", undefined],
] as const)("%s from a server translates as it does from its folder", async (name, to) => {
  const [fetched, loaded] = [
    await openTranslator(await fetchFiles(new URL(name, base)), to),
    await loadTranslator(name, to),
  ];
  const lines = ["Where is the station?", "I am tired."];
  expect(fetched.translate(lines)).toEqual(loaded.translate(lines));
  expect([fetched.dataset, fetched.card]).toEqual([loaded.dataset, loaded.card]);
  fetched.dispose();
  loaded.dispose();
});

const SERVE = "; serve the folder of the model with the page, or correct the address";
test.each([
  ["none", "the answer 404"],
  ["pages/translation-en", "a page of HTML"],
])("of %s it says that the server has %s", async (name, got) => {
  await expect(fetchFiles(`${base}/${name}/`, ["card.json"])).rejects.toThrow(
    `fetchFiles: ${base}/${name}/card.json must be there, got ${got}${SERVE}`,
  );
});

test("a server that does not answer is named, and a language that is none leaves nothing behind", async () => {
  await expect(fetchFiles("http://127.0.0.1:1", ["card.json"])).rejects.toMatchObject({ code: "DOWNLOAD" });
  for (const name of ["translation-en", "translation-en-fr"]) {
    const files = await fetchFiles(`${base}/${name}`);
    const before = tf.memory().numTensors;
    await expect(openTranslator(files, "it" as never)).rejects.toThrow(
      "openTranslator: the language must be one that the model of these files translates to, ",
    );
    expect(tf.memory().numTensors).toBe(before);
  }
});
