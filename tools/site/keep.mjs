// The service worker of the site: the pages of the menu at once with their pictures, all others once they were read; the studio has its own.
import { readdirSync } from "node:fs";
import path from "node:path";
import { digestsOf, writeServiceWorker } from "../offline.mjs";

/** Folders of the site whose files come when they are asked for: there are hundreds, or they are large. */
const LATER = ["studio/", "api/", "sources/", "files/", "elements/"];

/** But the pictures of the pages of the menu. */
const PICTURE = /^files\/.*\.(svg|png|jpg)$/;

/** Writes it; returns the version of the site. */
export async function keepSite(/** @type {string} */ folder) {
  const isFirst = (/** @type {string} */ place) =>
    PICTURE.test(place) || !LATER.some((one) => place.startsWith(one));
  // A change of what comes later is a new version too, or a page that was read would never change.
  const others = readdirSync(folder).filter((name) => LATER.includes(`${name}/`) && name !== "studio");
  const later = Object.assign({}, ...others.map((name) => ({ [name]: digestsOf(path.join(folder, name)) })));
  return writeServiceWorker(
    folder,
    { shell: digestsOf(folder, isFirst), kept: {}, never: ["studio/"], keepsOthers: true },
    JSON.stringify(later),
  );
}
