// Object queries find the items of a scene: each says a class and a box, and what it looked at is drawn.
// The model ships with heed; the items are of Fashion-MNIST's test part (MIT). Run: node examples/32-detect.mjs
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { drawDetections, exampleScene, loadDetector, massInside } from "heed/tasks";

const scene = exampleScene(1);
console.log(`in the scene: ${scene.items.map(({ name }) => name).join(", ")}`);

const detector = await loadDetector();
const [look] = detector.look(scene.pixels); // 64 × 64 greys
for (const { name, score, box, attention } of look.found) {
  const [x, y, width, height] = box.map((share) => Math.round(64 * share));
  const inside = Math.round(100 * massInside(attention, look.grid, box));
  console.log(
    `${name} ${score.toFixed(2)}, ${width} × ${height} around ${x}, ${y}; ${inside} % of its look inside`,
  );
}

const picture = { height: 64, width: 64, values: Float32Array.from(scene.pixels, (grey) => grey / 255) };
const drawn = path.join(mkdtempSync(path.join(tmpdir(), "heed-")), "found.svg");
writeFileSync(drawn, drawDetections(picture, look));
console.log(`the picture is in ${path.basename(drawn)}`);
detector.dispose();

// Prints:
// in the scene: boot, trouser, bag
// bag 1.00, … around 50, …; … % of its look inside
// trouser 0.9…, … around 50, …; … % of its look inside
// boot 0.9…, … around 14, …; … % of its look inside
// the picture is in found.svg
