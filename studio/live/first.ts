/** What each task is asked first, in the page and for the runs that are shown until its model is there. */
import type { Acts } from "./protocol.ts";

interface First {
  readonly translation: Acts["translate"][0];
  readonly summary: Acts["summarize"][0];
  readonly text: Acts["read"][0];
  /** Seeds of example scenes; the first one is shown first. */
  readonly scenes: readonly number[];
  readonly question: string;
  readonly reaction: string;
}

export const FIRST: First = {
  translation: { text: "Where is the station, and when does the train leave?", to: "fr", beam: 5 },
  summary: {
    text: "We propose a new simple network architecture, the Transformer, based solely on attention mechanisms, dispensing with recurrence and convolutions entirely. Experiments on two machine translation tasks show these models to be superior in quality.",
    beam: 4,
  },
  text: { text: "ROMEO:\nBut soft, what light", add: 40 },
  scenes: [1, 2, 3],
  question: "What is left of the bag?",
  reaction: "CC(=O)O.NCC>>CCNC(C)=O",
};
