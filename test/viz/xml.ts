/** An element of a parsed XML document. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

const CHARACTERS = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const NAME = "[A-Za-z_][A-Za-z0-9_.-]*";
const TAG = new RegExp(`^<(/?)(${NAME})((?: ${NAME}="[^<"]*")*)(/?)>`);
const ATTRIBUTE = new RegExp(` (${NAME})="([^"]*)"`, "g");
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decode(text: string): string {
  if (text.includes(">")) throw new Error(`bare > in ${text}`);
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const character = whole.endsWith(";") ? ENTITIES[name] : undefined;
    if (character === undefined) throw new Error(`bad entity ${whole.slice(0, 20)}`);
    return character;
  });
}

/** Parses the part of XML that we write; throws on anything else, so that passing it means being well-formed. */
export function parseXml(source: string): XmlElement {
  if (!CHARACTERS.test(source)) throw new Error("a character that XML forbids");
  const root: XmlElement = { name: "", attributes: {}, children: [], text: "" };
  const stack = [root];
  let at = 0;
  while (at < source.length) {
    const top = stack.at(-1)!;
    if (source[at] !== "<") {
      const end = source.indexOf("<", at);
      const until = end < 0 ? source.length : end;
      top.text += decode(source.slice(at, until));
      at = until;
      continue;
    }
    const tag = TAG.exec(source.slice(at, at + 20_000));
    if (!tag) throw new Error(`bad tag at ${source.slice(at, at + 60)}`);
    const [whole, closing, name, written, empty] = tag;
    at += whole.length;
    if (closing) {
      if (stack.pop()!.name !== name) throw new Error(`</${name}> closes another element`);
      continue;
    }
    const attributes: Record<string, string> = {};
    for (const [, key, value] of written!.matchAll(ATTRIBUTE)) {
      if (key! in attributes) throw new Error(`attribute ${key} twice`);
      attributes[key!] = decode(value!);
    }
    const element: XmlElement = { name: name!, attributes, children: [], text: "" };
    top.children.push(element);
    if (!empty) stack.push(element);
  }
  if (stack.length !== 1) throw new Error(`<${stack.at(-1)!.name}> is not closed`);
  if (root.children.length !== 1) throw new Error("not one root element");
  return root.children[0]!;
}

/** All elements of that name, in document order. */
export function all(element: XmlElement, name: string): XmlElement[] {
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)]);
}
