// Questions about a picture: the words of a question and the cells of the picture read each other (co-attention), and each
// word shows where it looked. The model ships with heed, as do the items of the scene. Run: node examples/33-ask.mjs
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { answerStrip, exampleScene, loadAnswerer, massInside } from "heed/tasks";

const scene = exampleScene(1);
console.log(`the scene: ${scene.items.map(({ name }) => name).join(", ")}`);

const answerer = await loadAnswerer();
const questions = ["How many trousers are there?", "Is there a coat?", "Is there a boot?"];
for (const question of questions) console.log(question, answerer.answer(question, scene.pixels).answer);

const question = "What is left of the bag?";
const answered = answerer.answer(question, scene.pixels);
console.log(question, answered.answer);
const { box } = scene.items.find(({ name }) => name === "bag");
const share = massInside(answered.maps[answered.words.indexOf("bag")], answered.grid, box);
console.log(`of what the word "bag" looked at, ${share > 0.5 ? "more" : "less"} than half is the bag`);

const file = path.join(mkdtempSync(path.join(tmpdir(), "heed-")), "question.svg");
writeFileSync(file, answerStrip({ pixels: scene.pixels, height: 64, width: 64 }, question, answered));
console.log(`the picture is in ${path.basename(file)}`);
answerer.dispose();

// Prints:
// the scene: boot, trouser, bag
// How many trousers are there? 1
// Is there a coat? no
// Is there a boot? yes
// What is left of the bag? boot
// of what the word "bag" looked at, more than half is the bag
// the picture is in question.svg
