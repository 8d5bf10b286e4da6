/** What a reader may write to name a model of a hub. */
import { OptionError } from "../../../src/core/errors.ts";
import { type ModelName, parseModelName } from "../../../src/data/model-name.ts";
import { HUB } from "../../../src/tasks/pretrained/hub/listing.ts";

/** A model, and the hub that has it. */
export interface HubPlace {
  /** The hub's address, without a slash at its end. */
  readonly endpoint: string;
  readonly name: ModelName;
}

/** The ways of a hub's pages to a revision, and to a file of it. */
const PAGE = /^\/([^/]+\/[^/]+)(?:\/(?:tree|blob|resolve)\/([^/]+)(?:\/([^/]+))?)?\/?$/;

/**
 * The model that a text names: `OWNER/NAME`, with `@REVISION` and `/FILE` behind it where they are wanted, or the address of its
 * page, of any hub with the interface of huggingface.co.
 *
 * @param endpoint the hub of names
 * @throws OptionError OPTION
 * @example
 * placeOfModel("a/b").endpoint; // "https://huggingface.co"
 * placeOfModel("https://hub.test/a/b/tree/v1").name; // { owner: "a", name: "b", revision: "v1" }
 */
export function placeOfModel(text: string, endpoint: string = HUB): HubPlace {
  const given = text.trim();
  const url = /^https?:/i.test(given) && URL.canParse(given) ? new URL(given) : undefined;
  if (!url) {
    const name = parseModelName(given);
    if (name) return { endpoint: endpoint.replace(/\/+$/, ""), name };
    throw unnamed(given);
  }
  const [, model = "", revision, file] = PAGE.exec(url.pathname) ?? [];
  const behind = `${revision === undefined ? "" : `@${revision}`}${file === undefined ? "" : `/${file}`}`;
  const name = parseModelName(`${decoded(model)}${behind}`);
  if (!name) throw unnamed(given);
  return { endpoint: url.origin, name };
}

/** An address as text; one that is no UTF-8 names no model. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function unnamed(text: string): OptionError<"OPTION"> {
  return new OptionError("OPTION", {
    op: "studio",
    rule: "a model must be named OWNER/NAME, or by the address of its page",
    got: text === "" ? "nothing" : JSON.stringify(text.slice(0, 80)),
    remedy: "try sentence-transformers/all-MiniLM-L6-v2",
  });
}
