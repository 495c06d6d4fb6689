import assert from "node:assert/strict";
import { test } from "node:test";
import { conformance, merge } from "./support/client.mjs";

function freeze(value) {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

for (const { name, steps } of conformance.merge) {
  test(`merge: ${name}`, () => {
    let table;
    for (const { frame, table: expected } of steps) {
      const next = merge(freeze(table), freeze(frame));
      if (expected === null) {
        assert.equal(next, undefined);
        continue;
      }
      assert.deepEqual(next, expected);
      table = next;
    }
  });
}

test("rows that a delta does not speak of are the same objects, the others are new ones", () => {
  const row = (player, position) => ({ rank: position, position, player, score: 100 - position });
  const before = freeze({ epoch: "k1", seq: 5, total: 3, rows: [row("a", 1), row("b", 2), row("c", 3)] });
  const delta = freeze({ view: "v", type: "delta", prev: 5, seq: 6, total: 3, upsert: [row("c", 2), row("b", 3)], leave: [] });
  const after = merge(before, delta);
  assert.equal(after.rows[0], before.rows[0]);
  assert.equal(after.rows[1], delta.upsert[0]);
  assert.deepEqual(before.rows.map((each) => each.player), ["a", "b", "c"]);
});

// A board as it is defined: equal scores share a rank, the earlier is listed first.
class Model {
  entries = new Map();
  seq = 1;

  set(player, score) {
    this.seq += 1 + Math.floor(score % 3);
    if (score < 0) this.entries.delete(player);
    else if (this.entries.get(player)?.score !== score) this.entries.set(player, { score, reached: this.seq });
  }

  top(count) {
    const all = [...this.entries].map(([player, entry]) => ({ player, ...entry }));
    all.sort((one, other) => other.score - one.score || one.reached - other.reached);
    return all.slice(0, count).map(({ player, score }, at) => {
      const rank = 1 + all.findIndex((each) => each.score === score);
      return { rank, position: at + 1, player, score };
    });
  }

  table(count) {
    return { epoch: "k1", seq: this.seq, total: this.entries.size, rows: this.top(count) };
  }
}

function delta(before, after) {
  const text = new Map(before.rows.map((row) => [row.player, JSON.stringify(row)]));
  const upsert = after.rows.filter((row) => text.get(row.player) !== JSON.stringify(row));
  const there = new Set(after.rows.map((row) => row.player));
  const leave = [...text.keys()].filter((player) => !there.has(player));
  return { view: "v", type: "delta", prev: before.seq, seq: after.seq, total: after.total, upsert, leave };
}

test("whatever happens to a board, the merged rows are its rows", () => {
  const seed = Number(process.env.STANDINGS_SEED ?? Math.floor(Math.random() * 2 ** 31));
  let state = seed;
  const random = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 2 ** 31) * below);
  };
  const model = new Model();
  let told = model.table(10);
  let table = merge(undefined, { view: "v", type: "snapshot", ...told });
  for (let step = 0; step < 3000; ++step) {
    // Few scores, so that there are many ties; changes are folded together.
    for (let change = random(4); change >= 0; --change) model.set(`p${random(25)}`, random(12) - 1);
    const next = model.table(10);
    const frame = delta(told, next);
    for (let at = frame.upsert.length - 1; at > 0; --at) {
      const other = random(at + 1);
      [frame.upsert[at], frame.upsert[other]] = [frame.upsert[other], frame.upsert[at]];
    }
    table = merge(freeze(table), freeze(frame));
    assert.deepEqual(table, next, `step ${step}; repeat with STANDINGS_SEED=${seed}`);
    told = next;
  }
});
