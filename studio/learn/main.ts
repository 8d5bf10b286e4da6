/** What every page of the path has: the header, formulas, the steps, and the labs that stand on more than one page. */
import "../shell/page-header.ts";
import "../math/formula.ts";
import "./path.ts";
import "./labs/basics.ts";
import "./labs/preset.ts";
