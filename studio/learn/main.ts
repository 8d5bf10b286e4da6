import "../shell/page-header.ts";
