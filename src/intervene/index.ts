/** Changes attention while a model runs, and tells what that changes. */
export { type InterveneOptions, intervene } from "./intervene.ts";
export type {
  Cells,
  Edge,
  Freeze,
  Intervention,
  KnockOut,
  Numbers,
  Part,
  Patch,
  Pin,
  Place,
  Scale,
  Swap,
} from "./intervention.ts";
export { type Recorded, type Recording, type RecordOptions, type RunRecording, record } from "./recording.ts";
