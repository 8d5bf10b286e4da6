import { layerMap, type Trace } from "../inspect/index.ts";
import { headView, MOST_HEADS } from "../viz/head-view.ts";
import { chooseLayer, titled, tokensOf, unpooledData } from "./layers.ts";
import { type DrawOptions, refuse, within } from "./options.ts";

/** Up to eight heads of a layer, one over the other. */
export function headsView(op: string, trace: Trace, options: DrawOptions): string {
  const view = "heads";
  const layer = chooseLayer(op, view, trace, options.layer);
  const first = Array.from({ length: Math.min(layer.H, MOST_HEADS) }, (_, h) => h);
  const heads = options.head === undefined ? first : [options.head].flat();
  if (heads.length > MOST_HEADS || new Set(heads).size < heads.length) {
    const rule = `be up to ${MOST_HEADS} different heads`;
    refuse(op, "head", rule, heads.join(","), "choose fewer, or the view grid");
  }
  const map = layerMap(layer);
  const named = heads.map((given) => {
    const head = within(op, "head", given, layer.H, layer.name);
    return { name: `head ${head}`, ...unpooledData(op, view, trace, { layer, head, map }) };
  });
  const rest = heads.length < layer.H ? ` (${heads.length} of ${layer.H} heads)` : "";
  const title = options.title ?? titled(trace, `${layer.name}${rest}`);
  return headView(
    { heads: named, ...tokensOf(trace, layer) },
    { title, ...(options.theme && { theme: options.theme }) },
  );
}
