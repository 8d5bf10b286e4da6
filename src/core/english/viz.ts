/** Messages of the pictures. */
export const vizMessages = {
  MATRIX_SIZE: (d: { op: string; name: string; rows: number; columns: number; got: string }) =>
    `${d.op}: ${d.name} must have ${d.rows} rows (rowTokens) of ${d.columns} columns (columnTokens), got ` +
    `${d.got}; pass one token for every row and every column`,
  MATRIX_EMPTY: (d: { op: string; rows: number; columns: number }) =>
    `${d.op}: a heat map must have at least one row and one column, got ${d.rows} rows and ${d.columns} columns; ` +
    "pass at least one token on each side",
  VIZ_OPTION: (d: { op: string; option: string; rule: string; got: string; remedy: string }) =>
    `${d.op}: ${d.option} must be ${d.rule}, got ${d.got}; ${d.remedy}`,
  FONT: (d: { op: string; got: string }) =>
    `${d.op}: a font must be a whole TrueType or OpenType file, got ${d.got}; choose a .ttf, .otf or .ttc file`,
  GLYPHS_MISSING: (d: { op: string; some: string; more: number }) =>
    `${d.op}: every character must be in a font, got ${d.some}${d.more > 0 ? ` and ${d.more} more` : ""} in none; ` +
    "give a font that has them, or they are left out",
  ROWS_NOT_DISTRIBUTIONS: (d: { op: string; row: number; token: string; fault: string; others: number }) =>
    `${d.op}: every row of weights must be a distribution (nothing negative, sum 1 within 0.001), got row ` +
    `${d.row} “${d.token}” with ${d.fault}${d.others > 0 ? ` and ${d.others} more such row${d.others > 1 ? "s" : ""}` : ""}; ` +
    "the colours are still exact, but do not read them as shares of attention",
  WEIGHTS_NOT_FINITE: (d: { op: string; count: number; row: number; column: number; value: number }) =>
    `${d.op}: every weight that is not masked must be finite, got ${d.count} that ${d.count > 1 ? "are" : "is"} not, ` +
    `the first ${d.value} at row ${d.row}, column ${d.column}; they are drawn apart from the colour scale`,
};
