// What is sent again, when, and with which key.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Client, Problem } from "./support/client.mjs";
import { Clock } from "./support/clock.mjs";

let clock;
beforeEach(() => (clock = new Clock().install()));
afterEach(() => clock.restore());

const receipt = { outcome: "created", seq: 2, epoch: "k1", passed: [], total: 1 };
const json = (status, body, headers = {}) => () => new Response(JSON.stringify(body), { status, headers });
const problem = (status, code, headers) => json(status, { type: `/problems/${code}`, title: code, status, detail: `it is ${code}`, code, request_id: "r1" }, headers);
const broken = () => {
  throw new TypeError("fetch failed");
};

/** A client whose requests get these answers, one after the other, and the requests that it made. */
function scripted(answers, options) {
  const sent = [];
  const fetch = async (url, init) => {
    sent.push({ url: String(url), at: clock.now, ...init });
    return (answers.length > 1 ? answers.shift() : answers[0])();
  };
  return { sent, client: new Client("http://server.example/base", { fetch, random: () => 1, ...options }) };
}

async function settle(promise) {
  let outcome;
  promise.then((value) => (outcome = { value }), (failure) => (outcome = { failure }));
  for (let turns = 0; !outcome && turns < 1000; ++turns) await clock.pass(50);
  return outcome;
}

test("a submission keeps its key over all tries", async () => {
  const { sent, client } = scripted([broken, problem(503, "outcome_unknown"), problem(429, "rate_limited"), problem(409, "idempotency_running"), json(200, receipt)]);
  const { value } = await settle(client.submit("b", { player: "a", score: 1 }));
  assert.deepEqual(value, receipt);
  assert.equal(sent.length, 5);
  const [{ url, method, headers, body }] = sent;
  assert.equal(url, "http://server.example/base/v1/boards/b/submissions");
  assert.equal(method, "POST");
  assert.equal(body, '{"player":"a","score":1}');
  assert.match(headers["Idempotency-Key"], /^[0-9a-f]{32}$/);
  assert.deepEqual(new Set(sent.map((each) => each.headers["Idempotency-Key"])).size, 1);
  await settle(client.submit("b", { player: "a", score: 1 }));
  assert.notEqual(sent.at(-1).headers["Idempotency-Key"], headers["Idempotency-Key"], "another call is another submission");
  await settle(client.submit("b", { player: "a", score: 1 }, { idempotencyKey: "run-4711" }));
  assert.equal(sent.at(-1).headers["Idempotency-Key"], "run-4711");
});

test("waits grow, and Retry-After comes on top", async () => {
  const { sent, client } = scripted([problem(503, "overloaded")]);
  const { failure } = await settle(client.standings("b"));
  assert.equal(failure.code, "overloaded");
  const waits = sent.slice(1).map((each, at) => each.at - sent[at].at);
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000]);

  const later = scripted([problem(429, "rate_limited", { "Retry-After": "3" }), problem(503, "draining", { "Retry-After": new Date(0).toUTCString() }), json(200, { items: [] })]);
  assert.deepEqual((await settle(later.client.boards())).value, { items: [] });
  assert.deepEqual(later.sent.map((each) => each.at - later.sent[0].at), [0, 3250, 3750]);
});

test("who has to wait for long is told instead", async () => {
  const { sent, client } = scripted([problem(429, "rate_limited", { "Retry-After": "3600" })]);
  const { failure } = await settle(client.boards());
  assert.ok(failure instanceof Problem);
  assert.equal(failure.retryAfterMs, 3_600_000);
  assert.equal(sent.length, 1);
});

test("what will not become better is not sent again", async () => {
  for (const [status, code] of [[400, "malformed"], [401, "unauthenticated"], [404, "board_not_found"], [409, "board_closed"], [422, "invalid"], [500, "internal"]]) {
    const { sent, client } = scripted([problem(status, code)]);
    const { failure } = await settle(client.submit("b", { player: "a", score: 1 }));
    assert.deepEqual([failure.status, failure.code, failure.detail, failure.requestId, sent.length], [status, code, `it is ${code}`, "r1", 1]);
  }
});

test("a write without a key is sent once", async () => {
  for (const method of ["PUT", "PATCH", "DELETE"]) {
    const { sent, client } = scripted([problem(503, "overloaded")]);
    const { failure } = await settle(client.request(method, "/v1/boards/b", { body: {} }));
    assert.equal(failure.code, "overloaded");
    assert.equal(sent.length, 1);
    assert.equal(sent[0].headers["Idempotency-Key"], undefined);
  }
});

test("the number of tries can be chosen", async () => {
  const { sent, client } = scripted([broken], { retries: 2 });
  const { failure } = await settle(client.boards());
  assert.deepEqual([failure.status, failure.code, failure.cause.message], [0, "unreachable", "fetch failed"]);
  assert.equal(sent.length, 3);
});

test("a problem says where", async () => {
  const errors = [{ pointer: "/score", code: "invalid", detail: "a number" }, { pointer: "/player", code: "invalid", detail: "an id" }];
  const { client } = scripted([json(422, { title: "A value is not allowed", status: 422, code: "invalid", detail: "two are wrong", errors })]);
  const { failure } = await settle(client.submit("b", { player: "", score: 1 }));
  assert.equal(failure.pointer, "/score");
  assert.deepEqual(failure.errors, errors);
  assert.equal(failure.message, "two are wrong");
  assert.equal(failure.name, "Problem");
});

test("an answer that is not the server's is a problem too", async () => {
  const { client } = scripted([() => new Response("<html>", { status: 403 })]);
  assert.equal((await settle(client.boards())).failure.code, "http_403");
  const portal = scripted([() => new Response("<html>welcome", { status: 200 })]);
  assert.equal((await settle(portal.client.boards())).failure.status, 200);
});

test("an answer that breaks off is asked for again", async () => {
  const half = () => new Response(new ReadableStream({ pull: (stream) => stream.error(new TypeError("terminated")) }));
  const { sent, client } = scripted([half, json(200, receipt)]);
  assert.deepEqual((await settle(client.submit("b", { player: "a", score: 1 }))).value, receipt);
  assert.equal(sent.length, 2);
});

const never = (_, init) => new Promise((_, reject) => init.signal.addEventListener("abort", () => reject(init.signal.reason)));

test("a try that takes too long is given up", async () => {
  let tries = 0;
  const fetch = (...request) => (++tries < 3 ? never(...request) : json(200, { items: [] })());
  const client = new Client("http://server.example", { fetch, timeout: 500, random: () => 0 });
  const began = clock.now;
  assert.deepEqual((await settle(client.boards())).value, { items: [] });
  assert.equal(clock.now - began >= 1000, true);
});

test("an abort ends a request, and the wait between two tries", async () => {
  const control = new AbortController();
  const hanging = new Client("http://server.example", { fetch: never }).boards({ signal: control.signal });
  control.abort(new Error("enough"));
  assert.equal((await settle(hanging)).failure.message, "enough");

  const { sent, client } = scripted([problem(503, "overloaded", { "Retry-After": "20" })]);
  const second = new AbortController();
  const waiting = client.boards({ signal: second.signal });
  await clock.pass(1000);
  second.abort(new Error("enough"));
  assert.equal((await settle(waiting)).failure.message, "enough");
  assert.equal(sent.length, 1);
  assert.equal(clock.timers.size, 0);

  await assert.rejects(client.boards({ signal: second.signal }), { message: "enough" });
  assert.equal(sent.length, 1);
});

test("reads say what they want", async () => {
  const page = { board: "b", period: "all", epoch: "k1", seq: 2, total: 1, rows: [{ rank: 1, position: 1, player: "a", score: 1 }] };
  const { sent, client } = scripted([json(200, page)], { key: "st_sk_x" });
  await settle(client.standings("b", { limit: 10, around: "u 1" }));
  await settle(client.standings("b", { players: ["a", "b"], after: receipt }));
  assert.deepEqual((await settle(client.standing("b", ".."))).value, page.rows[0]);
  await settle(client.boards({ limit: 5, cursor: "x" }));
  await settle(client.board("b"));
  await settle(client.lastSubmissions("b", { limit: 20 }));
  assert.deepEqual(sent.map((each) => each.url.replace("http://server.example/base/v1/boards", "")), [
    "/b/standings?limit=10&around=u+1", "/b/standings?players=a%2Cb&min_seq=k1%3A2", "/b/standings?players=..", "?limit=5&cursor=x", "/b", "/b/feed?limit=20",
  ]);
  for (const { method, headers } of sent) assert.deepEqual([method, headers["Authorization"], "Idempotency-Key" in headers], ["GET", "Bearer st_sk_x", false]);
  await settle(client.lastSubmissions(undefined, { after: receipt }));
  assert.equal(sent.at(-1).url, "http://server.example/base/v1/feed?min_seq=k1%3A2");
  const none = scripted([json(200, { ...page, rows: [] })]);
  assert.equal((await settle(none.client.standing("b", "nobody"))).value, undefined);
});
