import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** What a file of the sources imports: other files by their paths, packages and modules of Node by their names. */
export interface Imports {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
}

/**
 * All that a file imports, by itself or through others; what it says in comments does not count.
 *
 * @param options.types whether imports of types alone count, which are gone when the program runs @default true
 */
export function importsOf(file: string, { types = true }: { types?: boolean } = {}): Imports {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (at: string) => {
    if (files.has(at) || !existsSync(at)) return;
    files.add(at);
    const code = readFileSync(at, "utf8").replace(/^\s*(\*|\/\/).*$/gm, "");
    const statements = types ? code : code.replace(/^(?:im|ex)port type [^;]*;$/gm, "");
    for (const [, name] of statements.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
      if (name!.startsWith(".")) visit(path.join(path.dirname(at), name!));
      else packages.add(name!);
    }
  };
  visit(file);
  return { files, packages };
}
