import "../shell/page-header.ts";
import "./tabs.ts";
import "./score/score-playground.ts";
