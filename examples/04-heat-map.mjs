// Attention weights as a picture: an SVG document, a pure function of numbers. Run: node examples/04-heat-map.mjs
import { writeFileSync } from "node:fs";
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
const file = path.join(tmpdir(), "heed-heat-map.svg");
writeFileSync(file, svg);
console.log(`${svg.match(/<rect/g).length > 9 ? "a map" : "no map"} in ${path.basename(file)}`);

// Prints:
// a map in heed-heat-map.svg
