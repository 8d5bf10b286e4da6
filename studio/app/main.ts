import "../shell/page-header.ts";
import "./studio-app.ts";
