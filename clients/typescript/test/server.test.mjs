// The cases, and what only a real server shows: nothing is missing after it was killed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, Problem, conformance, watch, withGaps } from "./support/client.mjs";
import { Cable, clientOf, control, key, matches, until, url } from "./support/server.mjs";

const admin = new Client(url, { key, retries: 20 });
let boards = 0;

async function makeBoard(settings = {}) {
  const id = `case-${process.pid}-${++boards}`;
  await admin.request("POST", "/v1/boards", { body: { id, ...settings } });
  return id;
}

/** A client that keeps the last answer as it came. */
function listening(options) {
  const last = {};
  const watched = async (...request) => {
    const answer = await fetch(...request);
    Object.assign(last, { status: answer.status, headers: answer.headers });
    return answer;
  };
  return { last, client: new Client(url, { fetch: watched, ...options }) };
}

function fill(value, board) {
  return JSON.parse(JSON.stringify(value).replaceAll("{board}", board));
}

for (const { name, board: settings, requests } of conformance.http) {
  test(`http: ${name}`, async () => {
    const board = await makeBoard(settings);
    for (const request of fill(requests, board)) {
      const { method, path, query, headers, body } = request;
      const { last, client } = listening(request.key ? { key } : {});
      let json;
      try {
        json = await client.request(method, path, { query, headers, body });
      } catch (failure) {
        assert.ok(failure instanceof Problem, failure);
        assert.equal(failure.status, last.status);
        json = { ...failure };
      }
      const what = `${method} ${path}: ${JSON.stringify(json)}`;
      assert.equal(last.status, request.status, what);
      assert.ok(matches(json, request.json), what);
      for (const [header, value] of Object.entries(request.answer_headers ?? {})) assert.equal(last.headers.get(header), value, what);
    }
  });
}

for (const { name, board: settings, submissions = [], watch: view, steps } of conformance.live) {
  test(`live: ${name}`, async () => {
    const board = await makeBoard(settings);
    for (const submission of submissions) await admin.submit(board, submission);
    const cable = new Cable();
    const client = clientOf(cable);
    const events = [];
    const told = [];
    const live = watch(client, board, view, {
      onEvent: (event) => events.push(event.kind),
      onItems: (items) => told.push(...items),
    });
    for (const step of steps) {
      if (step.cut) cable.cut();
      if (step.kill) {
        await control("kill");
        await until(live, () => live.state === "reconnecting", "the client to see that the server is gone");
        await control("start");
      }
      for (const { method = "POST", path, body } of step.requests ?? []) {
        await admin.request(method, `/v1/boards/${board}${path}`, { body });
      }
      const isThere = () => ("items" in step ? matches(told, withGaps(step.items)) : matches(live.table.rows, step.rows));
      await until(live, () => live.state === "live" && isThere(), JSON.stringify(step.rows ?? step.items));
      if (step.events) await until(live, () => step.events.every((kind) => events.includes(kind)), `the events ${step.events}`);
    }
    client.close();
  });
}

test("submit, read, and see it at once", async () => {
  const board = await makeBoard({ title: "Speed" });
  const receipt = await admin.submit(board, { player: "a", name: "Ada", score: 5 });
  assert.equal(receipt.outcome, "created");
  const reader = new Client(url);
  assert.equal((await reader.standing(board, "a", { after: receipt })).name, "Ada");
  assert.equal(await reader.standing(board, "nobody"), undefined);
  await assert.rejects(reader.standings(board, { around: "nobody" }), { code: "player_not_found" });
  await admin.submit(board, { player: "..", score: 7 });
  assert.equal((await reader.standing(board, "..")).rank, 1);
  assert.deepEqual((await reader.standings(board, { around: "a", limit: 1 })).rows.map((row) => row.player), ["a"]);
  assert.equal((await reader.board(board)).title, "Speed");
  const ids = [];
  for (let cursor; ; ) {
    const page = await reader.boards({ limit: 2, cursor });
    ids.push(...page.items.map((each) => each.id));
    if (!(cursor = page.next_cursor)) break;
  }
  assert.ok(ids.includes(board));
  const last = await reader.lastSubmissions(board, { limit: 1 });
  assert.deepEqual(last.items.map(({ player, score }) => [player, score]), [["..", 7]]);
  assert.deepEqual((await reader.lastSubmissions(undefined, { after: last })).items.at(-1), last.items[0]);
});

test("a private board is watched with a key, and not without", async () => {
  const board = await makeBoard({ visibility: "private" });
  const cable = new Cable();
  const stranger = clientOf(cable);
  const refused = stranger.live(board, { top: 10 });
  await until(refused, () => refused.problem, "the refusal");
  assert.equal(refused.problem.code, "board_not_found");
  const wrong = clientOf(cable, { key: "st_sk_wrong" }).live(board, { top: 10 });
  await until(wrong, () => wrong.problem, "the refusal");
  assert.equal(wrong.problem.code, "unauthenticated");
  const friend = clientOf(cable, { key });
  const live = friend.live(board, { top: 10 });
  await until(live, () => live.state === "live", "the rows");
  await admin.request("DELETE", `/v1/boards/${board}`);
  await until(live, () => live.problem, "the end");
  assert.deepEqual([live.state, live.problem.code], ["closed", "board_not_found"]);
});

test("killed and cut while scores come in, the views miss nothing", async () => {
  const board = await makeBoard({ rule: "sum" });
  const cable = new Cable();
  const client = clientOf(cable);
  const pages = new Map(); // what the API answered, by seq
  const told = []; // what the views had
  const views = [{ top: 10 }, { around: "p7", span: 3 }, { player: "p3" }].map((view) => {
    return client.live(board, view, { onRows: (table) => told.push({ view, table }) }, { rate: 20 });
  });
  const rowsOf = (view, rows) => {
    if ("top" in view) return rows.slice(0, view.top);
    const at = rows.findIndex((row) => row.player === (view.around ?? view.player));
    return at < 0 ? [] : rows.slice(Math.max(0, at - (view.span ?? 0)), at + (view.span ?? 0) + 1);
  };
  const seed = Number(process.env.STANDINGS_SEED ?? Math.floor(Math.random() * 2 ** 31));
  let state = seed;
  const random = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 2 ** 31) * below);
  };
  const counted = new Map();
  const look = async () => {
    const page = await admin.standings(board, { limit: 1000 });
    pages.set(`${page.epoch}:${page.seq}`, page.rows);
    return page;
  };
  await look();
  const killAt = new Set([100, 200]);
  for (let step = 0; step < 300; ++step) {
    if (step % 40 === 20) cable.cut();
    const player = `p${random(9)}`;
    const score = 1 + random(3);
    // Asked while the server is away: it goes on trying, and counts once.
    const restart = killAt.has(step) ? control("kill").then(() => control("start")) : undefined;
    await admin.submit(board, { player, score });
    await restart;
    counted.set(player, (counted.get(player) ?? 0) + score);
    const page = await look();
    if (step % 4 === 0) await until(views[0], (live) => live.table?.seq >= page.seq, `seq ${page.seq}`);
  }
  const last = await look();
  for (const row of last.rows) assert.equal(row.score, counted.get(row.player), `${row.player}, seed ${seed}`);
  for (const live of views) {
    await until(live, () => live.table?.seq >= last.seq, `seq ${last.seq} in ${JSON.stringify(live.view)}`);
    assert.deepEqual(live.table.rows, rowsOf(live.view, last.rows), `seed ${seed}`);
  }
  let compared = 0;
  for (const { view, table } of told) {
    const rows = pages.get(`${table.epoch}:${table.seq}`);
    if (!rows) continue; // a view that was read between a commit and our look at it
    ++compared;
    assert.deepEqual(table.rows, rowsOf(view, rows), `${JSON.stringify(view)} at ${table.seq}, seed ${seed}`);
  }
  assert.ok(compared > 50, `${compared} of ${told.length} states compared`);
  client.close();
});

test("killed and cut while scores come in, a feed tells each submission once", async () => {
  const board = await makeBoard({ rule: "sum" });
  const cable = new Cable();
  const client = clientOf(cable);
  const told = [];
  const one = client.feed(board, { last: 5 }, { onItems: (items) => told.push(...items) }, { rate: 20 });
  const every = client.feed(undefined, { last: 0 });
  const looped = [];
  const loop = (async () => {
    for await (const item of every) if (item.board === board) looped.push(item);
  })();
  await until(one, () => one.state === "live" && every.state === "live", "both feeds");
  const killAt = new Set([40, 80]);
  const seqs = [];
  for (let step = 0; step < 120; ++step) {
    if (step % 30 === 10) cable.cut();
    const restart = killAt.has(step) ? control("kill").then(() => control("start")) : undefined;
    seqs.push((await admin.submit(board, { player: `p${step % 7}`, score: 1 })).seq);
    await restart;
    if (step % 30 === 20) await until(one, () => told.at(-1)?.seq === seqs.at(-1), `seq ${seqs.at(-1)}`);
  }
  await until(every, () => [told, looped].every((items) => items.at(-1)?.seq === seqs.at(-1)), `seq ${seqs.at(-1)}`);
  for (const items of [told, looped]) {
    assert.deepEqual(items.map((item) => item.seq), seqs);
    assert.deepEqual(items.filter((item) => item.gap), []);
  }
  assert.deepEqual(told.slice(-100), (await admin.lastSubmissions(board, { limit: 100 })).items);
  client.close();
  await loop;
});
