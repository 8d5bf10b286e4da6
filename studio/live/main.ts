import "../shell/page-header.ts";
import "./live-models.ts";
