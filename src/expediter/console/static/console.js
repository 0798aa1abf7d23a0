// Live pages. One stream per tab; a hidden tab closes it and goes on where it was when it is seen again.
// The list of orders gets rows, which are patched once per frame. Every other page gets its mark, and is
// loaded again in place when the mark is not the one it has. Without this file every page still works.

const main = document.querySelector("main");
const address = main.dataset.stream;
let source;
let seen = main.dataset.seen;

function show(state) {
  for (const place of document.querySelectorAll("[data-link]")) {
    place.dataset.link = state;
    place.lastElementChild.textContent = state;
  }
}

function open() {
  if (!address || source || document.hidden) return;
  source = new EventSource(`${address}?after=${encodeURIComponent(seen)}`);
  source.onopen = () => show("live");
  source.onerror = () => {
    show("connecting");
    if (source?.readyState === EventSource.CLOSED) {
      close();
      setTimeout(open, 5000);
    }
  };
  on("rows", ({ rows, behind }) => {
    for (const row of rows) waiting.set(row[0], row);
    frame ||= requestAnimationFrame(paint);
    if (behind && filtered) later();
  });
  on("counts", (given) => {
    counts = given;
    frame ||= requestAnimationFrame(paint);
  });
  on("changed", load);
  on("reload", load);
}

function on(kind, act) {
  source.addEventListener(kind, (event) => {
    if (event.lastEventId) seen = event.lastEventId;
    act(JSON.parse(event.data));
  });
}

function close() {
  source?.close();
  source = undefined;
}

document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
// A page that the browser kept has forms that may have been sent: load it again, so that each can be sent once more.
addEventListener("pageshow", (event) => (event.persisted ? location.reload() : open()));

// --- the list of orders

const LONGEST = 100;
const waiting = new Map();
const filtered = "status" in main.dataset || "restaurant" in main.dataset || "customer" in main.dataset;
let frame = 0;
let counts;
let soon = 0;

function paint() {
  frame = 0;
  const body = document.getElementById("rows");
  for (const row of waiting.values()) {
    const there = document.getElementById(`o-${row[0]}`);
    if (!fits(row)) there?.remove();
    else if (there) patch(there, row);
    else place(body, patch(fresh(row), row));
  }
  waiting.clear();
  while (body.rows.length > LONGEST) body.lastElementChild.remove();
  document.getElementById("empty").hidden = body.rows.length > 0;
  for (const [status, count] of Object.entries(counts ?? {})) {
    const place = document.querySelector(`[data-count="${status}"]`);
    if (place) text(place, String(count));
  }
  counts = undefined;
}

function fits([, , , restaurant, customer, , status]) {
  const wanted = main.dataset;
  return (
    (wanted.status ?? status) === status &&
    (wanted.restaurant ?? restaurant) === restaurant &&
    (wanted.customer ?? customer) === customer
  );
}

// Newest first; what would stand below a full page stays out.
function place(body, line) {
  const older = [...body.rows].find((row) => row.dataset.at <= line.dataset.at);
  if (older) older.before(line);
  else if (body.rows.length < LONGEST) body.append(line);
}

function fresh(row) {
  const id = row[0];
  const line = document.getElementById("row").content.firstElementChild.cloneNode(true);
  line.id = `o-${id}`;
  line.dataset.at = row[9];
  const link = line.querySelector("a");
  link.href = `/console/orders/${encodeURIComponent(id)}`;
  link.textContent = id.slice(-8);
  return line;
}

function patch(line, [, version, what, restaurant, customer, total, status, name, placed]) {
  if (Number(line.dataset.v ?? -1) >= version) return line;
  line.dataset.v = version;
  const cells = line.cells;
  for (const [place, value] of [[1, what], [2, restaurant], [3, customer], [4, total], [6, placed]]) {
    text(cells[place], value);
  }
  const pill = cells[5].firstElementChild;
  pill.className = `pill ${status}`;
  text(pill, name);
  return line;
}

function text(place, value) {
  if (place.textContent !== value) place.textContent = value;
}

function later() {
  soon ||= setTimeout(() => {
    soon = 0;
    load();
  }, 2000);
}

// --- every other page: load it again and put its parts in place

let loading = false;
let again = false;

async function load() {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  do {
    again = false;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      show("connecting");
    }
  } while (again);
  loading = false;
}

// A form keeps its token for as long as the page is open: two clicks with an update between them are one act.
const tokens = new Map();

function keepTokens(page) {
  for (const token of page.querySelectorAll("[name=csrf]")) {
    const others = token.form.querySelectorAll("input[type=hidden]:not([name=csrf])");
    const form = [token.form.getAttribute("action"), ...[...others].map((field) => field.value)].join("\n");
    if (!tokens.has(form)) tokens.set(form, token.value);
    token.value = tokens.get(form);
  }
}

function put(page) {
  keepTokens(page);
  const held = document.activeElement?.id;
  const names = (root) => [...root.querySelectorAll("[data-part]")].map((part) => part.dataset.part).join();
  if (page.querySelector("#rows")) document.getElementById("rows").replaceWith(page.getElementById("rows"));
  else if (names(page) !== names(document) && !edited(main)) replace(main, page.querySelector("main"));
  else {
    for (const part of document.querySelectorAll("[data-part]")) {
      const next = page.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (next && !edited(part)) replace(part, next);
    }
  }
  show("live");
  choose();
  middle();
  if (held && document.activeElement?.id !== held) document.getElementById(held)?.focus({ preventScroll: true });
}

function replace(old, next) {
  if (bare(old) === bare(next)) return;
  if (old === main) old.replaceChildren(...next.childNodes);
  else old.replaceWith(next);
}

function bare(part) {
  return part.innerHTML.replaceAll(/data-link="[^"]*"/g, "");
}

// Somebody is writing here: leave it alone.
function edited(part) {
  return [...part.querySelectorAll("textarea, input:not([type=hidden])")].some(
    (field) => field === document.activeElement || field.value !== field.defaultValue,
  );
}

// --- the state of an order that is shown

function choose() {
  const steps = document.getElementById("steps");
  if (!steps) return;
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const chosen = wanted?.classList.contains("step") ? wanted : undefined;
  const shown = chosen ?? steps.querySelector(".current, .failed") ?? steps.lastElementChild;
  for (const step of steps.children) step.hidden = step !== shown;
}

// Where the graph is wider than the screen, its middle is where the way is.
function middle() {
  for (const box of document.querySelectorAll(".scroll")) box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2;
}

addEventListener("hashchange", () => {
  choose();
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.focus({ preventScroll: false });
});

keepTokens(document);
choose();
middle();
open();
