/** Names of models as the Hugging Face hub has them. */
/** A model of the hub by name: `OWNER/NAME`, `OWNER/NAME@REVISION`, and with `/FILE` behind it a file of that. */
export interface ModelName {
  readonly owner: string;
  readonly name: string;
  /** A branch, a tag or a commit. @default "main" */
  readonly revision?: string;
  readonly file?: string;
}

const PART = String.raw`[A-Za-z0-9_](?:[\w.-]{0,94}\w)?`;
const REVISION = String.raw`(?:[\w.-]|%2F){1,200}`;
const NAME = new RegExp(`^(${PART})/(${PART})(?:@(${REVISION}))?(?:/(\\w[\\w.+-]{0,199}))?$`);

/** Undefined for what cannot be the name of a model. A revision with slashes has `%2F` there, as its folder has. */
export function parseModelName(text: string): ModelName | undefined {
  const [, owner, name, revision, file] = (!text.includes("..") && NAME.exec(text)) || [];
  if (owner === undefined || name === undefined) return undefined;
  const other = revision === undefined || revision === "main" ? undefined : revision.replaceAll("%2F", "/");
  return { owner, name, ...(other && { revision: other }), ...(file && { file }) };
}

/** As the hub writes it. */
export const modelTitle = ({ owner, name }: ModelName): string => `${owner}/${name}`;
