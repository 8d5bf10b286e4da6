/** Messages of positional encodings. */
export const positionMessages = {
  POSITION_CORNER: (d: { op: string; T: number; S: number }) =>
    `${d.op}: relative positions must know where query 0 stands when T ≠ S, got T=${d.T} and S=${d.S}; give ` +
    `queryOffset, the key position of the first query (0 aligns the first ones, S − T the last ones)`,
  TABLE_ROWS: (d: { op: string; rows: number; first: number; last: number }) =>
    `${d.op}: positions must be below the Tmax=${d.rows} rows of table [Tmax, C], got positions ${d.first} to ` +
    `${d.last}; train a longer table, or cut the sequence`,
};
