"use strict";
const $ = id => document.getElementById(id);
const number = new Intl.NumberFormat();
const board = location.pathname.startsWith("/b/") ? decodeURIComponent(location.pathname.slice(3)) : null;
const make = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};
function state(text, live) {
  if ($("state").textContent !== text) $("state").textContent = text;
  $("state").className = live === undefined ? "" : live ? "live" : "live stale";
}
function table(heads, rows) {
  const out = make("table"), head = out.createTHead().insertRow(), body = out.createTBody();
  for (const [text, className] of heads) {
    const th = make("th", text, className);
    th.scope = "col";
    head.append(th);
  }
  body.append(...rows);
  return out;
}
async function get(path, etag) {
  const headers = etag ? {"If-None-Match": etag} : {};
  const answer = await fetch(path, {headers, cache: "no-store"});
  if (answer.status === 304) return {etag};
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.detail), {status: answer.status});
  return {etag: answer.headers.get("ETag"), body};
}

async function showBoards() {
  const {body} = await get("/v1/boards?limit=200");
  if (!body.items.length) {
    state("There is no board yet. Make one:");
    $("body").replaceChildren(make("pre",
      `curl --json '{"id":"demo"}' -H "Authorization: Bearer $KEY" ${location.origin}/v1/boards\n` +
      `curl --json '{"player":"ada","name":"Ada","score":120}' -H "Authorization: Bearer $KEY" \\\n` +
      `  ${location.origin}/v1/boards/demo/submissions`));
    return;
  }
  state(number.format(body.items.length) + (body.next_cursor ? "+" : "") +
    (body.items.length === 1 ? " board" : " boards"), true);
  $("body").replaceChildren(table([["Board"], ["Players", "n"]], body.items.map(item => {
    const row = make("tr"), cell = row.insertCell(), link = make("a");
    link.href = "/b/" + encodeURIComponent(item.id);
    link.append(make("bdi", item.title || item.id));
    cell.append(link);
    if (item.title) cell.append(" ", make("span", item.id, "id"));
    row.append(make("td", number.format(item.total), "n"));
    return row;
  })));
}

let columns = null, etag = null, seen = new Map();
async function showBoard() {
  const path = "/v1/boards/" + encodeURIComponent(board);
  if (!columns) {
    const {body} = await get(path);
    columns = body.columns;
    document.title = $("title").textContent = body.title || body.id;
    $("up").hidden = false;
  }
  const page = await get(path + "/standings?limit=50", etag);
  if (page.body) {
    etag = page.etag;
    draw(page.body);
  }
}
function draw(page) {
  if (!page.rows.length) {
    state("No scores yet. This page shows the first one as it comes.", true);
    $("body").replaceChildren();
    return;
  }
  state(number.format(page.total) + (page.total === 1 ? " player" : " players"), true);
  const one = columns.length === 1;
  const before = seen;
  seen = new Map();
  const rows = page.rows.map(item => {
    const row = make("tr"), scores = columns.map(c => one ? item.score : item.scores[c.name]);
    const key = scores.join();
    if (before.size && before.get(item.player) !== key) row.className = "new";
    seen.set(item.player, key);
    row.append(make("td", number.format(item.rank), "n"));
    const cell = row.insertCell();
    cell.append(make("bdi", item.name || item.player));
    if (item.name) cell.append(" ", make("span", item.player, "id"));
    columns.forEach((c, i) => row.append(make("td", scores[i].toLocaleString(undefined,
      {minimumFractionDigits: c.decimals}), "n")));
    return row;
  });
  $("body").replaceChildren(table([["Rank", "n"], ["Player"],
    ...columns.map(c => [c.name.replaceAll("_", " "), "n"])], rows));
}

async function refresh() {
  try {
    await (board === null ? showBoards() : showBoard());
  } catch (failure) {
    state(failure.status ? failure.message : "The server does not answer; trying again …", false);
    columns = failure.status === 404 ? null : columns;
    etag = null;
  }
  setTimeout(refresh, 1000);
}
refresh();
