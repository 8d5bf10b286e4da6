import "../shell/page-header.ts";
import "./tabs.ts";
import "./catalogue/every-mechanism.ts";
