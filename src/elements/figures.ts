/**
 * Elements that draw any view of a trace as a picture; importing this defines them. They stand beside those of
 * `heed/elements`, which are smaller and have a cursor; where both are loaded, `<heed-view>` has a tab for each view.
 *
 *     <script type="module" src="heed-figures.js"></script>
 *     <heed-neuron src="trace.attn"></heed-neuron>
 */
import { define } from "./element.ts";
import { HeedFigure } from "./figure.ts";

export class HeedHeads extends HeedFigure {
  static override readonly only = "heads";
}
export class HeedNeuron extends HeedFigure {
  static override readonly only = "neuron";
}
export class HeedStatistics extends HeedFigure {
  static override readonly only = "statistics";
}
export class HeedRollout extends HeedFigure {
  static override readonly only = "rollout";
}
export class HeedGlimpse extends HeedFigure {
  static override readonly only = "glimpse";
}
export class HeedMarginals extends HeedFigure {
  static override readonly only = "marginals";
}
export class HeedGates extends HeedFigure {
  static override readonly only = "gates";
}
export { HeedFigure };

define("heed-figure", HeedFigure);
define("heed-heads", HeedHeads);
define("heed-neuron", HeedNeuron);
define("heed-statistics", HeedStatistics);
define("heed-rollout", HeedRollout);
define("heed-glimpse", HeedGlimpse);
define("heed-marginals", HeedMarginals);
define("heed-gates", HeedGates);

declare global {
  interface HTMLElementTagNameMap {
    "heed-figure": HeedFigure;
    "heed-heads": HeedHeads;
    "heed-neuron": HeedNeuron;
    "heed-statistics": HeedStatistics;
    "heed-rollout": HeedRollout;
    "heed-glimpse": HeedGlimpse;
    "heed-marginals": HeedMarginals;
    "heed-gates": HeedGates;
  }
}
