import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { dataCommand } from "../../src/cli/data.ts";
import { fileServer, status } from "../data/file-server.ts";
import { itWithData } from "../support/shared-data.ts";
import { fakeIo } from "./fake-io.ts";

async function data(...args: string[]): Promise<string> {
  const io = fakeIo();
  await dataCommand(io).parseAsync(args, { from: "user" });
  expect(io.err()).toBe("");
  return io.out();
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "heed-cli-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe("heed data", () => {
  test("list names each data set with its size and licence", async () => {
    expect(await data("list")).toBe(
      "tatoeba-en-fr  English-French sentence pairs of the Tatoeba project; 165,348 rows, 3.4 MB to download, " +
        "CC BY 2.0 FR\n" +
        "tatoeba-en-de  English-German sentence pairs of the Tatoeba project; 168,170 rows, 4.0 MB to download, " +
        "CC BY 2.0 FR\n" +
        "tatoeba-en-es  English-Spanish sentence pairs of the Tatoeba project; 117,798 rows, 2.8 MB to download, " +
        "CC BY 2.0 FR\n" +
        "fashion-mnist  grey 28 × 28 images of clothing in 10 classes; 70,000 rows, 30.9 MB to download, MIT\n" +
        "tiny-shakespeare  a million characters of Shakespeare's plays; 1,115,394 characters, 1.1 MB to download, public domain\n",
    );
  });

  itWithData("tatoeba-en-fr")("fetch says in one line what is where", async (shared) => {
    const dir = temporaryFolder();
    const folder = join(dir, "tatoeba-en-fr");
    cpSync(shared, folder, { recursive: true });
    expect(await data("fetch", "tatoeba-en-fr", "--dir", dir)).toBe(
      `tatoeba-en-fr: already there; train 158,821, valid 3,231, test 3,296 rows; CC BY 2.0 FR; ${folder}\n`,
    );
  });

  test("fetch does not take files of other rows for the data set", async () => {
    const dir = temporaryFolder();
    const folder = join(dir, "tatoeba-en-fr");
    mkdirSync(folder);
    for (const split of ["train", "valid", "test"]) writeFileSync(join(folder, `${split}.tsv.gz`), "");
    const { url, requests } = await fileServer(status(404));
    await expect(data("fetch", "tatoeba-en-fr", "--dir", dir, "--url", url)).rejects.toThrow("got 404");
    expect(requests).toHaveLength(1);
  });

  test("fetch asks the address it is given, and passes the refusal on", async () => {
    const { url, requests } = await fileServer(status(404));
    await expect(data("fetch", "tatoeba-en-fr", "--dir", temporaryFolder(), "--url", url)).rejects.toThrow(
      `download: the server must answer 200 or 206, got 404 for ${url}; try later, or name a mirror with --url`,
    );
    expect(requests).toHaveLength(1);
  });

  test("fetch refuses a name it does not know", async () => {
    await expect(data("fetch", "tatoeba", "--dir", temporaryFolder())).rejects.toThrow(
      'fetchDataset: name must be one of tatoeba-en-fr, tatoeba-en-de, tatoeba-en-es, fashion-mnist, tiny-shakespeare, got "tatoeba"; "heed data list" says what there is',
    );
  });
});
