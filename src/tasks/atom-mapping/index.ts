/** Atom mapping of chemical reactions by the attention of one head: load the model, map, see what it looked at. */
export type { AtomMappingCard } from "./card.ts";
export { DEFAULT_ATOM_MAPPER, loadAtomMapper } from "./files.ts";
export {
  type AtomMap,
  AtomMapper,
  type MapOptions,
} from "./mapper.ts";
export { atomMapTrace } from "./trace.ts";
