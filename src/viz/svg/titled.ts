import { visible } from "../text.ts";
import { type SvgDocument, svgDocument } from "./document.ts";
import { element, label } from "./markup.ts";
import { fitWidth } from "./measure.ts";

/** Between a figure's edge and what is in it. */
export const PAD = 16;
const TITLE_HEIGHT = 44;
const TITLE_SIZE = 18;
const NOTE_SIZE = 12;

/** Where what is below the title begins. */
export const belowTitle = (title: string) => (title === "" ? PAD : TITLE_HEIGHT);

export interface TitledDocument extends SvgDocument {
  /** What the figure is called where its title is empty. */
  readonly unnamed: string;
  /** @default at the left */
  readonly titleInMiddle?: boolean;
  /** A line at the foot. @default none */
  readonly note?: string;
  /** Gradients, clips and arrow heads. @default none */
  readonly definitions?: string;
}

/** A figure on its ground, with a title above and a note below where there are any. */
export function titledDocument(figure: TitledDocument): string {
  const { unnamed, titleInMiddle, note, definitions, title, width, height, content, ...rest } = figure;
  const fitted = (text: string, size: number) => fitWidth(text, width - 2 * PAD, size);
  const place = titleInMiddle
    ? { x: width / 2, y: 30, "font-size": TITLE_SIZE, "text-anchor": "middle" }
    : { x: PAD, y: 30, "font-size": TITLE_SIZE };
  return svgDocument({
    ...rest,
    title: title || unnamed,
    width,
    height,
    content: [
      ...(definitions === undefined ? [] : [definitions]),
      element("rect", { class: "bg", width, height }),
      title === "" ? "" : label(fitted(visible(title), TITLE_SIZE), { class: "t k", ...place }),
      ...content,
      ...(note === undefined
        ? []
        : [label(fitted(note, NOTE_SIZE), { class: "t", x: PAD, y: height - 12, "font-size": NOTE_SIZE })]),
    ],
  });
}
