import { compareView } from "./compare.ts";
import { flowView } from "./flow.ts";
import { gatesView } from "./gates.ts";
import { glimpseView } from "./glimpse.ts";
import { gridView } from "./grid.ts";
import { headsView } from "./heads.ts";
import { heatmapView } from "./heatmap.ts";
import { imageView } from "./image.ts";
import { marginalsView } from "./marginals.ts";
import { neuronView } from "./neuron.ts";
import { rolloutView } from "./rollout.ts";
import { statisticsView } from "./statistics.ts";
import type { Choice, ViewRecord } from "./view.ts";

/** Every view, in the order of `--help`, of the tabs, of a page's pictures and of docs/VIEWS.md. */
const ALL = [
  heatmapView,
  flowView,
  headsView,
  gridView,
  neuronView,
  statisticsView,
  compareView,
  rolloutView,
  imageView,
  glimpseView,
  marginalsView,
  gatesView,
] as const;

/** The name of a view. */
export type View = (typeof ALL)[number]["name"];
export type AnyView = ViewRecord<View>;
export const RECORDS: readonly AnyView[] = ALL;

const namesOf = (records: readonly AnyView[]): readonly View[] => records.map(({ name }) => name);

/** The names of all views. */
export const VIEWS = namesOf(RECORDS);
/** The views that a terminal can show. */
export const TERMINAL_VIEWS = namesOf(RECORDS.filter(({ text }) => text));
/** The views whose cells can be pixels. */
export const PNG_VIEWS = namesOf(RECORDS.filter(({ cells }) => cells));

export const recordOf = (name: string): AnyView | undefined => RECORDS.find((view) => view.name === name);

/** The views that choose something, as a list in words. */
export const viewsThatChoose = (choice: Choice): string =>
  namesOf(RECORDS.filter(({ chooses }) => chooses.includes(choice))).join(", ");
