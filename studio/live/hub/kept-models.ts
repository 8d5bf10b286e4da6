/** Models of a hub that were fetched before, in the browser's cache of this origin; none where it keeps nothing. */
import type { WantedFile } from "../../../src/data/fetch-files.ts";
import { modelTitle } from "../../../src/data/model-name.ts";
import { fileAddress } from "../../../src/tasks/pretrained/hub/listing.ts";
import type { HubPlace } from "./place.ts";

const CACHE = "heed hub";

/** A model whose files are all kept. */
export interface KeptModel {
  readonly place: HubPlace;
  readonly commit: string;
  readonly files: readonly WantedFile[];
}

/** As the hub and the commands write it, with the revision where that is not main. */
export const titleOf = ({ name }: HubPlace): string =>
  `${modelTitle(name)}${name.revision === undefined ? "" : `@${name.revision}`}${name.file === undefined ? "" : `/${name.file}`}`;

export const isSamePlace = (a: HubPlace, b: HubPlace): boolean =>
  a.endpoint === b.endpoint && titleOf(a) === titleOf(b);

export const bytesOf = (files: readonly WantedFile[]): number =>
  files.reduce((sum, { bytes }) => sum + bytes, 0);

/** Where it is written down that all files of a model are there. */
function recordAddress({ endpoint, name }: HubPlace): string {
  const { owner, name: title, revision = "main", file = "" } = name;
  return `${endpoint}/${owner}/${title}/heed-kept/${encodeURIComponent(revision)}/${encodeURIComponent(file)}`;
}

/** The cache; undefined where the browser has none for this page. */
async function cache(): Promise<Cache | undefined> {
  try {
    return await globalThis.caches?.open(CACHE);
  } catch {
    return undefined;
  }
}

/** A file that is kept. */
export async function keptFile(
  place: HubPlace,
  commit: string,
  { name, bytes }: WantedFile,
): Promise<Blob | undefined> {
  const response = await (await cache())?.match(fileAddress(place, place.name, commit, name));
  const blob = await response?.blob();
  return blob?.size === bytes ? blob : undefined;
}

/** Keeps a file that was checked; where there is no room for it, it comes again the next time. */
export async function keepFile(place: HubPlace, commit: string, name: string, blob: Blob): Promise<void> {
  await (await cache())
    ?.put(fileAddress(place, place.name, commit, name), new Response(blob))
    .catch(() => {});
}

/** Writes down that a model is there, and lets go of its files of another commit. */
export async function keepModel(model: KeptModel): Promise<void> {
  const opened = await cache();
  const { place, commit } = model;
  const before = (await keptModels()).find((one) => isSamePlace(one.place, place));
  try {
    await opened?.put(recordAddress(place), Response.json({ ...model, title: titleOf(place) }));
    if (!before || before.commit === commit) return;
    for (const { name } of before.files)
      await opened?.delete(fileAddress(place, place.name, before.commit, name));
  } catch {
    // No room for the record: the model is opened, and fetched again the next time.
  }
}

/** All models that are kept, by their names. */
export async function keptModels(): Promise<KeptModel[]> {
  const opened = await cache();
  if (!opened) return [];
  const records = (await opened.keys()).filter(({ url }) => url.includes("/heed-kept/"));
  const models = await Promise.all(
    records.map(async (record) => (await opened.match(record))?.json() as Promise<KeptModel | undefined>),
  );
  return models
    .filter((model) => model !== undefined)
    .sort((a, b) => titleOf(a.place).localeCompare(titleOf(b.place)));
}

/** Lets go of a model. */
export async function forgetModel({ place, commit, files }: KeptModel): Promise<void> {
  const opened = await cache();
  await opened?.delete(recordAddress(place));
  for (const { name } of files) await opened?.delete(fileAddress(place, place.name, commit, name));
}
