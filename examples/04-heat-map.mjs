// Attention weights as a picture: an SVG document, a pure function of numbers. Run: node examples/04-heat-map.mjs
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { heatmap } from "heed/viz";

const svg = heatmap(
  {
    weights: [
      [0.9, 0.1, 0.0],
      [0.1, 0.1, 0.8],
      [0.2, 0.7, 0.1],
    ],
    rowTokens: ["une", "voiture", "bleue"],
    columnTokens: ["a", "blue", "car"],
  },
  { title: "Who looks where", xTitle: "English", yTitle: "French" },
);
// A folder of its own: the shared one may hold another person's file of that name.
const file = path.join(mkdtempSync(path.join(tmpdir(), "heed-")), "heat-map.svg");
writeFileSync(file, svg);
console.log(`${svg.match(/<rect/g).length > 9 ? "a map" : "no map"} in ${path.basename(file)}`);

// Prints:
// a map in heat-map.svg
