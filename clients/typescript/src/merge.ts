import type { Frame } from "./frames.js";
import type { Row, Table } from "./types.js";

/**
 * The table after a frame. Neither the table before nor any of its rows is changed; rows that the frame does not speak of
 * are the same objects. `undefined`: the frame does not follow from the table, so the view has to be watched again.
 */
export function merge(table: Table | undefined, frame: Frame): Table | undefined {
  if (frame.type === "snapshot") {
    return { epoch: frame.epoch, seq: frame.seq, total: frame.total, rows: frame.rows };
  }
  if (!table) return undefined;
  if (frame.type === "beat") return { ...table, seq: frame.seq };
  if (frame.prev !== table.seq) return undefined;
  const gone = new Set(frame.leave);
  for (const row of frame.upsert) gone.add(row.player);
  const rows: Row[] = [...table.rows.filter((row) => !gone.has(row.player)), ...frame.upsert];
  rows.sort((one, other) => one.position - other.position);
  return { epoch: table.epoch, seq: frame.seq, total: frame.total, rows };
}
