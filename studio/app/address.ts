import { type OtherHead, writeOther } from "../../src/elements/url-state.ts";

/** What the studio keeps in the fragment of its address beside the state of its view: `d`, the document, `cmp`, the one beside it. */
export interface Place {
  readonly document: string | undefined;
  readonly compared: string | undefined;
}

/** Ids are words; nothing else in a link is one. */
const ID = /^[\w-]{1,64}$/;

/** The documents that a fragment names. */
export function readPlace(fragment: string): Place {
  const parameters = new URLSearchParams(fragment.slice(1));
  const id = (name: string) => {
    const text = parameters.get(name);
    return text !== null && ID.test(text) ? text : undefined;
  };
  return { document: id("d"), compared: id("cmp") };
}

/** The fragment with these documents in it, and the head that stands beside the selected one; the rest of it stays. */
export function writePlace(fragment: string, { document, compared }: Place, other?: OtherHead): string {
  const parameters = new URLSearchParams(fragment.slice(1));
  for (const [name, id] of [
    ["d", document],
    ["cmp", compared],
  ] as const) {
    if (id === undefined) parameters.delete(name);
    else parameters.set(name, id);
  }
  writeOther(parameters, "", other);
  return `#${parameters}`;
}
