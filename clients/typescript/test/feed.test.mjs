// A feed: each submission once and in order, or a gap where some may be missing; loops that are slow.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Client, conformance, mergeFeed } from "./support/client.mjs";
import { Clock } from "./support/clock.mjs";
import { FakeServer } from "./support/fake_server.mjs";

const toldBy = (feed) => feed.items.slice(feed.known);

for (const { name, steps } of conformance.feed) {
  test(`frames: ${name}`, () => {
    let feed;
    for (const { frame, items } of steps) {
      const next = mergeFeed(feed, frame);
      assert.deepEqual(next ? toldBy(next) : null, items);
      if (next) assert.equal(next.seq, frame.seq);
      feed = next ?? feed;
    }
  });
}

const item = (seq) => ({ board: "b", seq, outcome: "created", player: `p${seq}`, score: seq, at: "2026-01-01T00:00:00.000Z" });
const itemsOf = (first, last) => Array.from({ length: last - first + 1 }, (_, at) => item(first + at));

test("whatever is lost on the way, an item is told once, and what is missing has a gap behind it", () => {
  const seed = Number(process.env.STANDINGS_SEED ?? Math.floor(Math.random() * 2 ** 31));
  let state = seed;
  const random = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 2 ** 31) * below);
  };
  const all = [];
  let seq = 1;
  let feed = mergeFeed(undefined, { type: "snapshot", epoch: "k1", seq, items: [] });
  const told = [];
  let gaps = 0;
  for (let step = 0; step < 3000; ++step) {
    // Not every change is a submission, and not every one is of this board.
    for (let change = random(random(20) ? 6 : 200); change > 0; --change) if (random(3)) all.push(item((seq += 1 + random(2))));
    seq += random(2);
    // What the server remembers is a part of it; a client that is slow has heard of less still.
    const held = all.slice(-100);
    const forgotten = all[all.length - held.length - 1]?.seq ?? 0;
    const kind = random(4);
    const snapshot = { type: "snapshot", epoch: "k1", seq, items: held.slice(-5) };
    const delta = { type: "delta", prev: feed.seq, seq, items: held.filter((each) => each.seq > feed.seq), gap: feed.seq < forgotten };
    if (kind === 3) continue; // it hears nothing
    feed = mergeFeed(feed, kind === 0 ? snapshot : delta);
    told.push(...toldBy(feed));
  }
  feed = mergeFeed(feed, { type: "delta", prev: feed.seq, seq, items: all.slice(-100).filter((each) => each.seq > feed.seq), gap: true });
  told.push(...toldBy(feed));
  let at = 0;
  for (const { gap, ...each } of told) {
    const next = all.findIndex((other, place) => place >= at && other.seq === each.seq);
    assert.ok(next >= at, `${each.seq} is told out of order; repeat with STANDINGS_SEED=${seed}`);
    assert.deepEqual(each, all[next]);
    if (next > at) assert.ok(gap, `something is missing before ${each.seq}; repeat with STANDINGS_SEED=${seed}`);
    gaps += gap ? 1 : 0;
    at = next + 1;
  }
  assert.ok(gaps > 10 && told.length > 1000, `${gaps} gaps in ${told.length} items`);
  assert.ok(feed.items.length <= 100);
});

let clock;
let server;
beforeEach(() => {
  clock = new Clock().install();
  server = new FakeServer();
});
afterEach(() => clock.restore());

const makeClient = () => new Client("http://server.example", { WebSocket: server.WebSocket, random: () => 0 });
const snapshot = (items, seq = items.at(-1).seq) => ({ view: "b/feed/5", type: "snapshot", epoch: "k1", seq, items });
const delta = (prev, seq) => ({ view: "b/feed/5", type: "delta", prev, seq, items: itemsOf(prev + 1, seq) });
const seqsOf = (items) => items.map((each) => (each.gap ? -each.seq : each.seq)); // negative: a gap before it
const range = (first, last) => itemsOf(first, last).map((each) => each.seq);

async function begin(view, items = itemsOf(4, 5)) {
  await clock.pass(0);
  server.accept();
  server.say({ id: server.heard[0].id, ok: true, view: "b/feed/5" });
  server.say(snapshot(items));
  await clock.pass(0);
  return view;
}

async function comeBack(answer) {
  server.end(1006);
  await clock.pass(0);
  server.accept();
  server.say({ id: server.heard[0].id, ok: true, view: "b/feed/5", ...answer });
}

/** A loop over the view that takes an item whenever `next` is called. */
function looping(view) {
  const iterator = view[Symbol.asyncIterator]();
  const seen = [];
  return {
    seen,
    async next(count = 1) {
      for (; count > 0; --count) {
        const { done, value } = await iterator.next();
        if (done) return "done";
        seen.push(value);
      }
    },
    leave: () => iterator.return(),
  };
}

test("handlers and a loop get the same, once, over lost connections", async () => {
  const client = makeClient();
  const told = [];
  const states = [];
  const view = client.feed("b", {}, { onItems: (items) => told.push(...items), onState: (state) => states.push(state) });
  assert.equal(view.position, undefined);
  const seen = [];
  const loop = (async () => {
    for await (const each of view) if (seen.push(each) === 9) break;
  })();
  await begin();
  server.say(delta(5, 7));
  await comeBack({ recovered: true });
  assert.deepEqual(server.heard[0].since, { epoch: "k1", seq: 7 });
  server.say(delta(7, 8));
  await comeBack({ recovered: false });
  server.say(snapshot(itemsOf(8, 9)));
  await comeBack({ recovered: false });
  server.say(snapshot(itemsOf(20, 21)));
  server.say({ view: "b/feed/5", type: "beat", seq: 30 });
  assert.deepEqual(view.position, { epoch: "k1", seq: 30 });
  server.say(delta(30, 31));
  await loop;
  const expected = [4, 5, 6, 7, 8, 9, -20, 21, 31];
  assert.deepEqual([seqsOf(told), seqsOf(seen)], [expected, expected]);
  assert.deepEqual(states, ["live", "reconnecting", "live", "reconnecting", "live", "reconnecting", "live", "closed"]);
  assert.ok(server.connection.isClosed);
});

test("a loop that is slow misses the oldest, and is told of the gap", async () => {
  const client = makeClient();
  const view = client.feed("b");
  const loop = looping(view);
  const first = loop.next();
  await begin(view);
  await first;
  assert.deepEqual(seqsOf(loop.seen), [4]);
  for (let seq = 5; seq < 1305; seq += 100) server.say(delta(seq, seq + 100));
  await loop.next(1000);
  assert.deepEqual(seqsOf(loop.seen.splice(0)), [4, -306, ...range(307, 1305)]);
  const later = loop.next(2);
  server.say(delta(1305, 1307));
  await later;
  assert.deepEqual(seqsOf(loop.seen), [1306, 1307]);
  await loop.leave();
  assert.equal(view.state, "closed");
});

test("a loop that begins later begins with the first ones, as far as they are kept", async () => {
  const client = makeClient();
  const view = await begin(client.feed("b"));
  server.say(delta(5, 6));
  const one = looping(view);
  await one.next(3);
  assert.deepEqual(seqsOf(one.seen), [4, 5, 6]);
  for (let seq = 6; seq < 1106; seq += 100) server.say(delta(seq, seq + 100));
  const other = looping(view);
  await other.next(2);
  assert.deepEqual(seqsOf(other.seen), [-107, 108]);
  client.close();
});

test("a board that is gone ends its feed, after what came before", async () => {
  const client = makeClient();
  const errors = [];
  const view = client.feed("b", {}, { onError: (problem) => errors.push(problem.code) });
  await begin(view);
  const loop = looping(view);
  await comeBack({ ok: false, view: undefined, problem: { status: 404, code: "board_not_found", detail: "gone" } });
  assert.deepEqual([view.state, view.problem.code, errors], ["closed", "board_not_found", ["board_not_found"]]);
  await loop.next(2);
  assert.deepEqual(seqsOf(loop.seen), [4, 5]);
  await assert.rejects(loop.next(), { name: "Problem", code: "board_not_found" });
});

test("a loop over a feed that is refused throws the problem", async () => {
  const client = makeClient();
  const loop = looping(client.feed(undefined, { last: 1000 })).next();
  await clock.pass(0);
  server.accept();
  assert.deepEqual(server.heard[0].view, { feed: 1000 });
  server.say({ id: server.heard[0].id, ok: false, problem: { status: 422, code: "invalid", errors: [{ pointer: "/view/feed" }] } });
  await assert.rejects(loop, { code: "invalid", pointer: "/view/feed" });
});

test("who closes a feed gets nothing more of it", async () => {
  for (const how of ["close", "abort"]) {
    const client = makeClient();
    const control = new AbortController();
    const told = [];
    const view = await begin(client.feed("b", {}, { onItems: (items) => told.push(...items) }, { signal: control.signal }));
    const loop = looping(view);
    await loop.next();
    const other = client.feed(undefined);
    how === "close" ? view.close() : control.abort();
    server.say(delta(5, 6));
    assert.equal(await loop.next(), "done", how);
    assert.deepEqual([seqsOf(told), seqsOf(loop.seen)], [[4, 5], [4]]);
    other.close();
    assert.throws(() => control.abort() ?? client.feed("b", {}, {}, { signal: control.signal }), { name: "AbortError" });
    assert.equal(clock.timers.size, 0);
  }
});

test("who joins a feed has as many of the last ones as it wants, and then the same as all", async () => {
  const client = makeClient();
  const first = await begin(client.feed("b", { last: 5 }));
  server.say(delta(5, 7));
  const told = { two: [], none: [], early: [] };
  client.feed("b", { last: 2 }, { onItems: (items) => told.two.push(...items) });
  client.feed("b", { last: 0 }, { onItems: (items) => told.none.push(...items) });
  assert.deepEqual(told, { two: [], none: [], early: [] }, "not before the caller has the view");
  await clock.pass(0);
  assert.deepEqual([seqsOf(told.two), seqsOf(told.none)], [[6, 7], []]);
  // A frame comes before it was told what is there.
  client.feed("b", { last: 1 }, { onItems: (items) => told.early.push(...items) });
  server.say(delta(7, 9));
  await clock.pass(0);
  server.say(delta(9, 10));
  assert.deepEqual([seqsOf(told.two), seqsOf(told.none), seqsOf(told.early)], [[6, 7, 8, 9, 10], [8, 9, 10], [7, 8, 9, 10]]);
  assert.equal(server.heard.length, 1, "it is one watch");
  assert.equal(first.state, "live");
  client.close();
});
