/** Made by tools/studio-mechanisms.mjs from the headers of src/attention. */
declare module "heed:mechanisms" {
  export interface Mechanism {
    readonly name: string;
    readonly sentence: string;
    /** As the docstring has it; empty where it has none. */
    readonly formula: string;
    readonly cost: string;
    readonly papers: readonly string[];
    /** Code that returns the picture's numbers. */
    readonly draws: string;
    readonly parameters: readonly string[];
  }
  export interface MechanismFamily {
    readonly title: string;
    readonly about: string;
    readonly mechanisms: readonly Mechanism[];
  }
  const families: readonly MechanismFamily[];
  export default families;
}
