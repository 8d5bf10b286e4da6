import { layerMap } from "../inspect/index.ts";
import { heads, MOST_HEADS } from "../viz/heads.ts";
import { chooseLayer, titled, tokensOf, unpooledData } from "./layers.ts";
import { refuse } from "./named.ts";
import { within } from "./options.ts";
import type { ViewRecord } from "./view.ts";

/** Up to eight heads of a layer, one over the other. */
export const headsView: ViewRecord<"heads"> = {
  name: "heads",
  label: "Heads",
  title: "Heads, one over the other",
  caption: "The heads of a layer over one another, a colour and a dash for each.",
  needs: ["layers"],
  suits: { rule: "have several heads in its first layer", isMet: ({ layers }) => layers[0]!.H > 1 },
  chooses: ["layer", "heads"],
  svg(trace, options) {
    const layer = chooseLayer("heads", trace, options.layer);
    const first = Array.from({ length: Math.min(layer.H, MOST_HEADS) }, (_, h) => h);
    const chosen = options.head === undefined ? first : [options.head].flat();
    if (chosen.length > MOST_HEADS || new Set(chosen).size < chosen.length) {
      const rule = `be up to ${MOST_HEADS} different heads`;
      refuse("head", rule, chosen.join(","), "choose fewer, or the view grid");
    }
    const map = layerMap(layer);
    const drawn = chosen.map((given) => {
      const head = within("head", given, layer.H, layer.name);
      return { name: `head ${head}`, weights: unpooledData("heads", trace, { layer, head, map }).weights };
    });
    const rest = chosen.length < layer.H ? ` (${chosen.length} of ${layer.H} heads)` : "";
    const { theme, title = titled(trace, `${layer.name}${rest}`) } = options;
    return heads({ heads: drawn, ...tokensOf(trace, layer) }, { title, ...(theme && { theme }) });
  },
};
