import "../shell/page-header.ts";
import "./playground.ts";
