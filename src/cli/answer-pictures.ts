import { escapeControls } from "../core/escape-controls.ts";
import type { RgbaPicture } from "../data/pictures/index.ts";
import { finishRun } from "./finish-run.ts";
import { type Io, write } from "./io.ts";
import type { Drawings, OutputFiles } from "./output-files.ts";
import type { GivenPicture, PictureInput } from "./picture-input.ts";

/** A picture as a model reads it; `file` is undefined for an example without a name. */
export interface SeenPicture<Seen> {
  readonly file: string | undefined;
  readonly seen: Seen;
}

/** What a command says and draws of one picture. */
export interface PictureAnswer {
  readonly text: string;
  readonly drawings: Drawings;
}

/** What one command does with pictures. */
export interface PictureWork<Seen> {
  readonly name: string;
  readonly io: Io;
  readonly given: PictureInput;
  readonly files: OutputFiles;
  /** Pictures that are read and answered together. */
  readonly batch: number;
  /** A picture as the model reads it. */
  see(picture: RgbaPicture): Seen;
  /** The greys that the model reads of it. */
  greys(seen: Seen): Uint8Array;
  /** The answers of some pictures, at least one, in their order. */
  answer(pictures: readonly SeenPicture<Seen>[]): PictureAnswer[] | Promise<PictureAnswer[]>;
  /** What is printed for a picture that cannot be read. */
  unread(file: string, error: string): string;
  /** What is answered where no picture was given. */
  example(): Promise<SeenPicture<Seen>>;
}

/**
 * Answers pictures in their order: each is printed, and then drawn into the files that were asked for. One that cannot be read
 * keeps its place in both.
 */
export async function answerPictures<Seen>(work: PictureWork<Seen>): Promise<void> {
  const { name, io, given } = work;
  for await (const batch of given.batches(work.batch)) await answerBatch(work, batch);
  if (given.count > 0 || given.isChosen) return;
  io.stderr.write(`${name}: no picture was given; this one is an example\n`);
  await tell(work, await work.answer([await work.example()]));
}

async function answerBatch<Seen>(work: PictureWork<Seen>, batch: readonly GivenPicture[]): Promise<void> {
  const seen = batch.flatMap(({ file, picture }) => (picture ? [{ file, seen: work.see(picture) }] : []));
  for (const { file, seen: one } of seen)
    if (isEven(work.greys(one)))
      work.io.stderr.write(
        `${work.name}: ${escapeControls(file)} is one even grey, in which there is nothing to see\n`,
      );
  const answers = seen.length > 0 ? await work.answer(seen) : [];
  for (const { file, error } of batch) {
    if (error === undefined) await tell(work, [answers.shift()!]);
    else {
      await write(work.io.stdout, work.unread(file, error));
      await work.files.add(undefined);
    }
  }
}

/** Whether no pixel differs from the others. */
const isEven = (greys: Uint8Array) => greys.every((grey) => grey === greys[0]);

async function tell<Seen>(
  { io, files }: PictureWork<Seen>,
  answers: readonly PictureAnswer[],
): Promise<void> {
  for (const { text, drawings } of answers) {
    await write(io.stdout, text);
    await files.add(drawings);
  }
}

/** Says what was drawn, and how many pictures could not be answered. @throws Exit where there was one */
export function finishPictures({
  name,
  io,
  given,
  files,
}: Pick<PictureWork<never>, "name" | "io" | "given" | "files">): void {
  given.finish();
  files.finish(io);
  finishRun({ name, io, count: given.count, failures: given.failures, noun: "picture" });
}
