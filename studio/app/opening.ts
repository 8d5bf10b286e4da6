import { short } from "../../src/elements/parts/sentences.ts";
import { type CheckpointFacts, checkpointFacts, haveWeights } from "./checkpoint-facts.ts";
import { fileDocument, givenFile, type NamedFile, type StudioDocument } from "./documents.ts";
import { kindOfFile } from "./file-kind.ts";

/** What files that were opened together are. */
export interface OpenedFiles {
  readonly documents: readonly StudioDocument[];
  readonly model: { readonly facts: CheckpointFacts; readonly files: readonly NamedFile[] } | undefined;
  /** What is to be said of files that are neither. */
  readonly remarks: readonly string[];
}

/**
 * Sorts files into traces and a model: files that stand with weights belong to the model. A picture and an empty file are
 * neither; what is wrong with another file, its reader says when it is shown.
 *
 * @param idOf the id of the nth document
 * @throws DataError DAMAGED, UNSUPPORTED, for a model
 */
export async function openFiles(
  name: string,
  files: readonly NamedFile[],
  idOf: (n: number) => string,
): Promise<OpenedFiles> {
  const kinds = await Promise.all(files.map(kindOfFile));
  const of = (...wanted: readonly string[]) => files.filter((_, n) => wanted.includes(kinds[n]!));
  const isModel = of("checkpoint").length > 0 && (haveWeights(of("checkpoint")) || files.length === 1);
  const isTrace = (file: NamedFile) =>
    kinds[files.indexOf(file)] === "trace" && (!isModel || /\.(attn|npz|npy)$/.test(file.name));
  const remarks = [
    ...of("picture").map((file) => `${short(file.name)} is a picture: in Live, models look at pictures.`),
    ...of("empty").map((file) => `${short(file.name)} is empty.`),
  ];
  const documents = files.filter(isTrace).map((file, n) => fileDocument(file, idOf(n)));
  if (!isModel) return { documents, model: undefined, remarks };
  const own = files.filter((file) => !isTrace(file));
  return { documents, remarks, model: { facts: await checkpointFacts(name, own), files: own } };
}

/** Folders with more files are no model. */
const MOST_FILES = 500;

/** The files that were dropped, those of folders too, and what they are called together. */
export async function droppedFiles(data: DataTransfer): Promise<{ name: string; files: NamedFile[] }> {
  // The list is empty once the event is over: entries are taken now, and read then.
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files: File[] = [];
  for (const entry of entries) await gather(entry, files);
  const found = files.length > 0 ? files : [...data.files];
  return { name: entries[0]?.name ?? found[0]?.name ?? "", files: found.map(givenFile) };
}

async function gather(entry: FileSystemEntry, into: File[]): Promise<void> {
  if (into.length >= MOST_FILES) return;
  if (entry.isFile) {
    into.push(
      await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
    );
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return;
    for (const one of some) if (!one.name.startsWith(".")) await gather(one, into);
  }
}
