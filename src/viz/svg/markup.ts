import { escapeXml } from "../text.ts";

/** A coordinate with at most two decimals and no trailing zeros, so that figures are short and diff well. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100 || 0);
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One XML element. `content` is markup already; attribute values are escaped here. */
export function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? coordinate(value) : escapeXml(value!)}"`)
    .join("");
  return content === "" ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

/** A `<text>` element; `content` is plain text. */
export function label(content: string, attributes: Attributes): string {
  return element("text", attributes, escapeXml(content));
}

/** A short name made from the picture itself (FNV-1a), so that two figures on one page do not share ids. */
export function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return `heed-${(hash >>> 0).toString(36)}`;
}
