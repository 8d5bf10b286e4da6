import "./main.ts";

/** Opens the paper that the page's address names, so that a link to it shows its live version too. */
function openNamed(): void {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (const details of named?.querySelectorAll("details") ?? []) details.open = true;
}

openNamed();
globalThis.addEventListener("hashchange", openNamed);

/** Every live version is drawn when it is first opened: thirty of them at once would keep the page busy. */
for (const details of document.querySelectorAll<HTMLDetailsElement>("details[data-preset]"))
  details.addEventListener("toggle", () => {
    const { preset, controls = "" } = details.dataset;
    if (!details.open || !preset || details.querySelector("lab-preset")) return;
    const lab = document.createElement("lab-preset");
    lab.setAttribute("preset", preset);
    lab.setAttribute("controls", controls);
    lab.setAttribute("plain", "");
    details.append(lab);
  });
