import { AtomMapper } from "../../../src/tasks/atom-mapping/mapper.ts";
import { readModel } from "../../../src/tasks/atom-mapping/read.ts";
import { atomMapTrace } from "../../../src/tasks/atom-mapping/trace.ts";
import type { ModelFiles } from "../../../src/tasks/model-files.ts";
import type { LiveModel } from "./model.ts";
import { traceBytes } from "./trace-bytes.ts";

/**
 * The atom mapper of a model's files. RDKit, 7 MB of WebAssembly, is fetched with the first reaction.
 *
 * @param options.wasm where RDKit's module lies
 */
export function openAtoms(files: ModelFiles, options: { readonly wasm?: string } = {}): LiveModel {
  const mapper = new AtomMapper(readModel(files), options);
  return {
    facts: {},
    acts: {
      async mapAtoms({ text }) {
        const map = await mapper.map(text);
        return { map, trace: traceBytes(atomMapTrace(map)) };
      },
    },
    dispose: () => mapper.dispose(),
  };
}
