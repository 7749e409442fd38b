// The timeline: pages as one scrolls, filters, and what is new. Rows have keys; new rows join by them, so what is seen stays.

import { part, repeatedly, Unavailable } from "./net.js";

const LIVE_MS = 700;
const AHEAD = "900px";

let rows, form, head, uid;
const texts = new WeakMap();
let loading = false;

export function start() {
  rows = document.getElementById("rows");
  form = document.getElementById("filters");
  head = document.getElementById("head");
  uid = document.querySelector("[data-uid]").dataset.uid;
  note(rows.children);
  fold();
  watchEnd();
  form.addEventListener("change", narrow);
  form.addEventListener("submit", (event) => { event.preventDefault(); narrow(); });
  document.getElementById("fresh").addEventListener("click", toTop);
  addEventListener("scroll", () => { if (isAtTop()) announce(0); }, { passive: true });
  repeatedly(refresh, LIVE_MS);
}

function query(more = {}) {
  const given = new URLSearchParams(new FormData(form));
  given.set("id", uid);
  for (const [name, value] of [...given]) if (value === "") given.delete(name, value);
  for (const [name, value] of Object.entries(more)) given.set(name, value);
  return given;
}

const end = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) extend(); }, { rootMargin: AHEAD });

function watchEnd() {
  end.disconnect();
  const more = document.getElementById("more");
  if (!more) return;
  end.observe(more);
  more.addEventListener("click", (event) => { event.preventDefault(); extend(); });
}

async function extend() {
  const more = document.getElementById("more");
  if (loading || !more) return;
  loading = true;
  try {
    const page = await part(`/console/part/rows?${query({ cursor: more.dataset.cursor })}`);
    if (!more.isConnected) return;
    const known = keys();
    more.parentElement.remove();
    const fresh = [...page.children].filter((row) => !known.has(row.dataset.key));
    note(fresh);
    rows.append(...fresh);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    setTimeout(extend, 1_500);
  } finally {
    loading = false;
    watchEnd();
  }
}

async function narrow() {
  rows.classList.add("waiting");
  const asked = query();
  history.replaceState(null, "", `/console/?${asked}`);
  try {
    const page = await part(`/console/part/rows?${asked}`);
    if (String(asked) !== String(query())) return;
    note(page.children);
    rows.replaceChildren(...page.children);
    watchEnd();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    setTimeout(narrow, 1_500);
  } finally {
    rows.classList.remove("waiting");
  }
}

async function refresh() {
  if (loading) return;
  const asked = String(query());
  const count = rows.querySelectorAll(".event").length;
  const live = await part(`/console/part/live?${query({ version: rows.dataset.version, count })}`);
  if (live === null || loading || asked !== String(query())) return;
  if (!live.isGood) {
    location.reload();
    return;
  }
  const fresh = live.getElementById("live-rows");
  rows.dataset.version = fresh.dataset.version;
  replaceHead(live.getElementById("live-head").content);
  join(fresh.content);
}

/** On a narrow screen the journey is what one came for: the rest of the head is folded. */
function fold() {
  if (!matchMedia("(max-width: 720px)").matches) return;
  for (const card of head.querySelectorAll("details")) card.open = false;
}

function replaceHead(content) {
  const scrolled = head.scrollTop;
  for (const card of content.querySelectorAll("details")) card.open = document.getElementById(card.id)?.open ?? true;
  head.replaceChildren(content);
  head.scrollTop = scrolled;
}

/** Newest rows join those that are shown. What one reads stays where it is on the screen. */
function join(content) {
  const wasAtTop = isAtTop();
  const [anchor, before] = firstSeen();
  const incoming = [...content.children];
  const known = keys();
  let place = null;
  let arrived = 0;
  for (const row of incoming.filter((one) => one.dataset.key)) {
    const old = known.get(row.dataset.key);
    if (!old) arrived += Number(row.matches(".event"));
    if (!old) row.classList.add("arrived");
    const kept = old && texts.get(old) === row.outerHTML ? old : renewed(old, row);
    drop(place, kept, incoming);
    if ((place ? place.nextElementSibling : rows.firstElementChild) !== kept) place ? place.after(kept) : rows.prepend(kept);
    place = kept;
  }
  if (known.size === 0 || !place) rows.replaceChildren(...incoming);
  else if (!known.has(place.dataset.key)) behind(place, incoming);
  watchEnd();
  if (!wasAtTop && anchor?.isConnected) scrollBy(0, anchor.getBoundingClientRect().top - before);
  if (!wasAtTop) announce(arrived);
}

function renewed(old, row) {
  texts.set(row, row.outerHTML.replace(" arrived", ""));
  if (old?.querySelector("details[open]")) row.querySelector("details").open = true;
  old?.replaceWith(row);
  return row;
}

/** Rows between two neighbours of now are gone: erased, moved, or another person's. */
function drop(place, next, incoming) {
  if (!next.isConnected) return;
  const wanted = new Set(incoming.map((one) => one.dataset.key));
  let row = place ? place.nextElementSibling : rows.firstElementChild;
  while (row && row !== next) {
    const following = row.nextElementSibling;
    if (row.dataset.key && !wanted.has(row.dataset.key)) row.remove();
    row = following;
  }
}

/** The incoming rows reach further than the page did: they bring its end along. */
function behind(place, incoming) {
  while (place.nextElementSibling) place.nextElementSibling.remove();
  place.after(...incoming.filter((one) => !one.dataset.key));
}

function keys() {
  return new Map([...rows.children].filter((row) => row.dataset.key).map((row) => [row.dataset.key, row]));
}

function note(list) {
  for (const row of list) texts.set(row, row.outerHTML);
}

function firstSeen() {
  const top = 60;
  const seen = [...rows.querySelectorAll(".event")].find((row) => row.getBoundingClientRect().top >= top);
  return [seen, seen?.getBoundingClientRect().top];
}

function isAtTop() {
  return rows.getBoundingClientRect().top > -40;
}

let waiting = 0;

function announce(count) {
  const button = document.getElementById("fresh");
  waiting = count === 0 ? 0 : waiting + count;
  button.hidden = waiting === 0;
  const text = button.querySelector("span");
  text.textContent = text.dataset.text.replace("{count}", waiting);
}

function toTop() {
  announce(0);
  scrollTo({ top: 0, behavior: "smooth" });
  rows.querySelector("summary")?.focus({ preventScroll: true });
}
