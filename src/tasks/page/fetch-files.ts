import { DownloadError } from "../../core/errors.ts";
import { CARD, filesInMemory, type ModelFiles, VOCABULARY, WEIGHTS } from "../model-files.ts";

/**
 * The files of a model from a server, in memory: card.json, vocabulary.json and model.safetensors beside one another, as a folder
 * of `weights` has them and as `heed train` writes them.
 *
 * @param base the address of that folder, relative to the page too
 * @param names of other files, for a model without a vocabulary
 * @throws DownloadError DOWNLOAD naming the file and what the server said
 */
export async function fetchFiles(
  base: string | URL,
  names: readonly string[] = [CARD, VOCABULARY, WEIGHTS],
): Promise<ModelFiles> {
  const folder = String(base).replace(/\/*$/, "/");
  const entries = await Promise.all(
    names.map(async (name) => [name, await bytesOf(`${folder}${name}`)] as const),
  );
  return filesInMemory(Object.fromEntries(entries));
}

async function bytesOf(address: string): Promise<Uint8Array> {
  const refuse = (got: string, cause?: unknown) => {
    const remedy = "serve the folder of the model with the page, or correct the address";
    const fault = { op: "fetchFiles", rule: `${address} must be there`, got, remedy };
    return new DownloadError("DOWNLOAD", fault, { cause });
  };
  let answer: Response;
  try {
    answer = await fetch(address);
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : "no answer", cause);
  }
  // A server of pages answers an unknown address with its first page.
  const isPage = answer.headers.get("content-type")?.startsWith("text/html");
  if (!answer.ok || isPage) throw refuse(answer.ok ? "a page of HTML" : `the answer ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
