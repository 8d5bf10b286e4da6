// What gates let through, and what a prior on motion is worth: a vowel in noise, a series of which three inputs in twelve
// matter, and a digit that is hidden for three frames. Run: node examples/30-gates-and-tracking.mjs
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  drawnDigits,
  drawTrack,
  exampleClip,
  exampleSeries,
  hiddenVideo,
  loadForecaster,
  loadTracker,
  loadVowelClassifier,
} from "heed/tasks";

// A gate over bands of frequency opens where the voice is, and closes where noise is as loud from the first frame on.
const classifier = await loadVowelClassifier();
const heard = classifier.hear(exampleClip(7));
const open = heard.bands.filter(({ gate }) => gate > 0.5);
console.log(`${heard.bands.length} bands, ${open.length < 12 ? "fewer than twelve" : "many"} of them open`);
classifier.dispose();

// A variable selection weighs the inputs of a forecast, other ones at other times.
const forecaster = await loadForecaster();
const { target, inputs } = forecaster.forecast(exampleSeries(7));
const read = inputs.slice(0, 3).map(({ name }) => name);
console.log(`${target} is read from ${read.sort().join(", ")}`);
forecaster.dispose();

// A tracker that expects things to keep their speed looks for a hidden digit where it will come out.
const tracker = await loadTracker();
const { frames, boxes } = hiddenVideo(drawnDigits(), 3, 0, 2);
const side = Math.sqrt(frames[0].length);
const found = tracker.follow({ frames, height: side, width: side }, boxes[0]);
const file = path.join(tmpdir(), "track.svg");
writeFileSync(file, drawTrack({ frames, height: side, width: side }, found, boxes));
console.log(`${found.length} boxes, drawn in ${file}`);
tracker.dispose();

// Prints:
//   20 bands, fewer than twelve of them open
//   growth is read from light, nitrogen, water
//   11 boxes, drawn in …track.svg
