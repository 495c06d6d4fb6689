// What the client says to a server, and makes of what it hears: the dialogues, and what depends on time.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Client, conformance, watch, withGaps } from "./support/client.mjs";
import { Clock } from "./support/clock.mjs";
import { FakeServer } from "./support/fake_server.mjs";

let clock;
let server;
beforeEach(() => {
  clock = new Clock().install();
  server = new FakeServer();
});
afterEach(() => clock.restore());

const makeClient = (options) => new Client("http://server.example", { WebSocket: server.WebSocket, random: () => 0, ...options });

function contains(actual, expected, path = "") {
  if (typeof expected !== "object" || expected === null) return assert.deepEqual(actual, expected, path);
  for (const [name, value] of Object.entries(expected)) contains(actual?.[name], value, `${path}/${name}`);
}

class Dialogue {
  accepted = 0;
  lastId;

  constructor({ key, watch: views }) {
    this.views = views.map(({ board, view }) => ({ board, view, events: [], items: [] }));
    this.client = makeClient(key === undefined ? {} : { key });
    for (const each of this.views) {
      each.live = watch(this.client, each.board, each.view, {
        onEvent: (event) => each.events.push(event.kind),
        onItems: (items) => each.items.push(...items),
      });
    }
  }

  async connect(expected, afterMs) {
    if (afterMs) {
      await clock.pass(afterMs - 1);
      assert.equal(server.connections.length, this.accepted, "too early");
      await clock.pass(1);
    } else {
      await clock.pass(expected ? 0 : 3_600_000);
    }
    assert.equal(server.connections.length, this.accepted + (expected ? 1 : 0));
    if (!expected) return;
    ++this.accepted;
    assert.equal(server.connection.url, "ws://server.example/v1/live");
    assert.equal(server.connection.protocol, "standings.v1");
    server.accept();
  }

  hear(expected) {
    const message = server.heard.shift();
    if (expected === null) return assert.equal(message, undefined);
    assert.ok(message, "the client says nothing");
    contains(message, expected);
    if (!("since" in expected)) assert.ok(!("since" in message), "it has nothing to go on from");
    if (!("board" in expected)) assert.ok(!("board" in message), "it is of all boards");
    this.lastId = message.id;
  }

  async step(step) {
    if ("connect" in step) await this.connect(step.connect, step.after_ms);
    await clock.pass(0);
    if ("client" in step) this.hear(step.client);
    if ("answer" in step) server.say({ id: this.lastId, ...step.answer });
    if ("server" in step) server.say(step.server);
    if ("close" in step) server.end(step.close);
    const of = (look) => this.views.map(look);
    if ("state" in step) assert.deepEqual(of((each) => each.live.state), step.state);
    if ("seq" in step) assert.deepEqual(of((each) => (each.live.table ?? each.live.position)?.seq), step.seq);
    if ("players" in step) assert.deepEqual(of((each) => each.live.table.rows.map((row) => row.player)), step.players);
    if ("problem" in step) assert.deepEqual(of((each) => each.live.problem?.code ?? null), step.problem);
    if ("events" in step) assert.deepEqual(of((each) => each.events), step.events);
    if ("items" in step) {
      assert.deepEqual(of((each) => each.items.length), step.items.map((items) => items.length));
      contains(of((each) => each.items), step.items.map(withGaps));
    }
  }
}

for (const { name, steps, ...dialogue } of conformance.dialogues) {
  test(`dialogue: ${name}`, async () => {
    const run = new Dialogue(dialogue);
    for (const [at, step] of steps.entries()) {
      try {
        await run.step(step);
      } catch (failure) {
        failure.message = `step ${at + 1}, ${JSON.stringify(step)}: ${failure.message}`;
        throw failure;
      }
    }
    run.client.close();
    await clock.pass(0);
    assert.equal(clock.timers.size, 0, "nothing is left that would keep a process alive");
    assert.ok(server.connection.isClosed);
  });
}

const row = (player, position, score) => ({ rank: position, position, player, score, reached_at: "2026-01-01T00:00:00.000Z" });
const snapshot = (seq, rows, view = "b/all/top/10") => ({ view, type: "snapshot", epoch: "k1", seq, total: rows.length, rows });
const delta = (prev, seq, upsert, leave = []) => ({ view: "b/all/top/10", type: "delta", prev, seq, total: 9, upsert, leave });

async function begin(live) {
  await clock.pass(0);
  server.accept();
  server.say({ id: server.heard[0].id, ok: true, view: "b/all/top/10" });
  server.say(snapshot(5, [row("a", 1, 30)]));
  await clock.pass(0);
  return live;
}

test("waits between tries grow, and differ from client to client", async () => {
  for (const random of [0.25, 1]) {
    const waits = [];
    const client = makeClient({ random: () => random });
    client.live("b", { top: 10 });
    for (let attempt = 0; attempt < 7; ++attempt) {
      const before = clock.now;
      const count = server.connections.length;
      server.end(1006);
      while (server.connections.length === count) await clock.pass(50);
      waits.push(clock.now - before);
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 15000, 15000, 15000].map((most) => most * random));
    client.close();
  }
});

test("what worked begins with short waits again, and what the server has asked for holds once", async () => {
  const client = makeClient({ random: () => 1 });
  client.live("b", { top: 10 });
  const wait = async () => {
    const before = clock.now;
    const count = server.connections.length;
    server.end(1012);
    while (server.connections.length === count) await clock.pass(50);
    return clock.now - before;
  };
  assert.deepEqual([await wait(), await wait()], [1000, 2000]);
  server.accept();
  server.say({ id: server.heard[0].id, ok: true, view: "b/all/top/10" });
  assert.equal(await wait(), 1000);
  server.accept();
  server.say({ type: "bye", reason: "draining", retry_after_ms: 7000 });
  assert.deepEqual([await wait(), await wait()], [7000, 4000]);
  client.close();
});

test("a connection that does not come about is given up", async () => {
  const client = makeClient();
  client.live("b", { top: 10 });
  await clock.pass(10_000);
  assert.equal(server.connections.length, 2);
  assert.ok(server.connections[0].isClosed);
  client.close();
});

test("a silent connection is asked for a sign of life, and left when none comes", async () => {
  const client = makeClient();
  const live = await begin(client.live("b", { top: 10 }));
  await clock.pass(20_000);
  assert.equal(server.heard.at(-1).op, "watch", "it was heard in that time");
  await clock.pass(20_000);
  assert.equal(server.heard.at(-1).op, "ping");
  server.say({ id: server.heard.at(-1).id, ok: false, problem: { status: 422, code: "invalid" } });
  assert.equal(live.state, "live", "any answer is a sign");
  await clock.pass(20_000);
  assert.equal(server.connections.length, 1);
  await clock.pass(20_000);
  assert.equal(server.connections.length, 1);
  await clock.pass(20_000);
  assert.equal(server.connections.length, 2);
  assert.ok(server.connections[0].isClosed);
  assert.equal(live.state, "reconnecting");
  client.close();
});

test("handlers hear of rows, states and the end, each once", async () => {
  const calls = [];
  const client = makeClient();
  const live = client.live("b", { top: 10 }, {
    onRows: (table, before) => calls.push(["rows", table.rows.length, before?.rows.length]),
    onState: (state) => calls.push(["state", state]),
    onError: (problem) => calls.push(["error", problem.code]),
  });
  await begin(live);
  server.say({ view: "b/all/top/10", type: "beat", seq: 6 });
  server.say(delta(6, 7, [row("b", 2, 20)]));
  assert.equal(live.table.seq, 7);
  server.end(1006);
  await clock.pass(0);
  server.accept();
  server.say({ id: server.heard[0].id, ok: false, problem: { status: 404, code: "board_not_found", detail: "gone" } });
  assert.deepEqual(calls, [
    ["rows", 1, undefined], ["state", "live"], ["rows", 2, 1], ["state", "reconnecting"], ["state", "closed"], ["error", "board_not_found"],
  ]);
  assert.equal(live.problem.message, "gone");
});

test("a handler that throws disturbs no other view", async () => {
  const failures = [];
  const real = globalThis.queueMicrotask;
  globalThis.queueMicrotask = (call) => real(() => {
    try {
      call();
    } catch (failure) {
      failures.push(failure.message);
    }
  });
  const client = makeClient();
  const seen = [];
  client.live("b", { top: 10 }, { onRows: () => { throw new Error("mine"); } });
  client.live("b", { top: 10 }, { onRows: (table) => seen.push(table.seq) });
  await begin();
  globalThis.queueMicrotask = real;
  assert.deepEqual(seen, [5]);
  assert.deepEqual(failures, ["mine"]);
  client.close();
});

test("a loop gets the newest rows, and closes the view when it is left", async () => {
  const client = makeClient();
  const live = client.live("b", { top: 10 });
  const seen = [];
  const loop = (async () => {
    for await (const table of live) {
      seen.push(table.seq);
      if (table.seq === 8) break;
    }
  })();
  await begin();
  // Both before the loop has had its turn.
  server.say(delta(5, 6, [row("b", 2, 20)]));
  server.say(delta(6, 7, [row("b", 2, 21)]));
  await clock.pass(0);
  server.say({ view: "b/all/top/10", type: "beat", seq: 7 });
  server.say(delta(7, 8, [row("b", 2, 22)]));
  await loop;
  assert.deepEqual(seen, [5, 7, 8]);
  assert.equal(live.state, "closed");
  assert.ok(server.connection.isClosed);
});

test("a loop over a view that is refused throws the problem", async () => {
  const client = makeClient();
  const loop = (async () => {
    for await (const _ of client.live("b", { top: 10 }));
  })();
  await clock.pass(0);
  server.accept();
  server.say({ id: server.heard[0].id, ok: false, problem: { status: 404, code: "board_not_found", detail: "none" } });
  await assert.rejects(loop, { name: "Problem", code: "board_not_found", status: 404 });
});

test("an abort ends a view, and with the last one the connection", async () => {
  const client = makeClient();
  const control = new AbortController();
  const live = await begin(client.live("b", { top: 10 }, {}, { signal: control.signal }));
  const other = client.live("b", { player: "a" });
  control.abort();
  assert.equal(live.state, "closed");
  assert.deepEqual(server.heard.at(-1), { id: server.heard.at(-1).id, op: "unwatch", view: "b/all/top/10" });
  assert.ok(!server.connection.isClosed);
  other.close();
  assert.ok(server.connection.isClosed);
  assert.throws(() => client.live("b", { top: 10 }, {}, { signal: control.signal }), { name: "AbortError" });
});

test("a view that was closed before its answer came is given up then", async () => {
  const client = makeClient();
  const keep = client.live("c", { top: 10 });
  const live = client.live("b", { top: 10 });
  await clock.pass(0);
  server.accept();
  const [, asked] = server.heard;
  live.close();
  assert.equal(server.heard.length, 2);
  server.say({ id: asked.id, ok: true, view: "b/all/top/10" });
  assert.equal(server.heard.at(-1).op, "unwatch");
  keep.close();
});

test("who joins a view has its rows at once, and its frames go to all", async () => {
  const client = makeClient();
  const first = await begin(client.live("b", { top: 10 }));
  const seen = [];
  const second = client.live("b", { top: 1 }, { onRows: (table) => seen.push(table.rows.map((each) => each.player)) });
  assert.equal(second.table, undefined, "not before the caller has the view");
  await clock.pass(0);
  assert.equal(second.state, "live");
  server.say(delta(5, 6, [row("b", 2, 20)]));
  server.say(delta(6, 7, [row("b", 1, 40), row("a", 2, 30)]));
  assert.deepEqual(seen, [["a"], ["b"]], "a change below is none");
  assert.deepEqual([first.table.seq, second.table.seq], [7, 7]);
  assert.equal(server.heard.length, 1);
  first.close();
  assert.equal(server.heard.length, 1, "somebody looks at it still");
  second.close();
});

test("a faster rate watches anew, from where the view is", async () => {
  const client = makeClient();
  await begin(client.live("b", { top: 10 }, {}, { rate: 5 }));
  client.live("b", { top: 10 }, {}, { rate: 2 });
  assert.equal(server.heard.length, 1);
  client.live("b", { top: 10 }, {}, { rate: 20 });
  const { id, ...message } = server.heard[1];
  assert.deepEqual(message, { op: "watch", board: "b", view: { top: 10 }, rate: 20, since: { epoch: "k1", seq: 5 } });
  server.say({ id, ok: true, view: "b/all/top/10", recovered: true });
  client.close();
});

test("the number of views is bounded before the server has to", () => {
  const client = makeClient();
  for (let number = 0; number < 64; ++number) client.live("b", { player: `p${number}` });
  client.live("b", { player: "p7" });
  assert.throws(() => client.live("b", { player: "p64" }), RangeError);
  client.close();
});

test("what is no message ends the connection, and it comes back", async () => {
  const client = makeClient();
  const live = await begin(client.live("b", { top: 10 }));
  for (const data of ["{", "7", "null"]) {
    const before = server.connections.length;
    server.connection.onmessage({ data });
    await clock.pass(0);
    assert.equal(server.connections.length, before + 1, data);
    server.accept();
    server.say({ id: server.heard[0].id, ok: true, view: "b/all/top/10", recovered: true });
  }
  assert.equal(live.state, "live");
  client.close();
});

test("without a WebSocket it says so at once", () => {
  const has = globalThis.WebSocket;
  globalThis.WebSocket = undefined;
  try {
    assert.throws(() => new Client("http://server.example").live("b", { top: 10 }), /hand one in/);
  } finally {
    if (has) globalThis.WebSocket = has;
    else delete globalThis.WebSocket;
  }
});
