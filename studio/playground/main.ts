import "../shell/page-header.ts";
import "./tabs.ts";
import "./playground.ts";
