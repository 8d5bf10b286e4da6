import "../shell/page-header.ts";
import "./live-models.ts";

// The views that are pictures come when the page stands.
void import("../../src/elements/figures.ts");
