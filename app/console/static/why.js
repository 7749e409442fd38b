// The drawing: two chosen identifiers show their path. An administrator's request is shown before it is made, and seen through.

import { part, submitted, Unavailable } from "./net.js";

const FOLLOW_MS = 500;

let chosen = ["", ""];
let uid, dialog, asked;

export function start() {
  uid = document.getElementById("person").dataset.uid;
  dialog = document.getElementById("ask");
  asked = document.getElementById("asked");
  for (const spot of document.querySelectorAll(".spot")) {
    spot.addEventListener("click", () => choose(spot.dataset.key));
    spot.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(spot.dataset.key);
    });
  }
  const form = document.getElementById("ends");
  form.addEventListener("change", () => { chosen = [form.a.value, form.b.value]; show(); });
  document.addEventListener("click", onClick);
  asked.addEventListener("submit", onSubmit);
}

function choose(key) {
  const at = chosen.indexOf(key);
  if (at >= 0) chosen[at] = "";
  else if (chosen[0] && chosen[1]) chosen = [chosen[1], key];
  else chosen[chosen[0] ? 1 : 0] = key;
  const form = document.getElementById("ends");
  [form.a.value, form.b.value] = chosen;
  show();
}

async function show() {
  for (const spot of document.querySelectorAll(".spot")) spot.setAttribute("aria-pressed", chosen.includes(spot.dataset.key));
  mark(new Set());
  const [a, b] = chosen;
  if (!a || !b || a === b) return;
  const found = await patiently(() => part(`/console/part/path?${new URLSearchParams({ id: uid, a, b })}`));
  if (a !== chosen[0] || b !== chosen[1]) return;
  mark(new Set([...found.querySelectorAll("[data-near]")].map((one) => pair(one.dataset.near, one.dataset.far))));
  document.getElementById("steps").replaceChildren(found);
}

const pair = (a, b) => [a, b].sort().join("|");

function mark(links) {
  const ends = new Set([...links].flatMap((link) => link.split("|")));
  for (const line of document.querySelectorAll(".line")) line.classList.toggle("on", links.has(pair(line.dataset.a, line.dataset.b)));
  for (const spot of document.querySelectorAll(".spot")) spot.classList.toggle("on", ends.has(spot.dataset.key));
}

async function onClick(event) {
  const button = event.target.closest("button");
  if (button?.dataset.preview) await preview(button.dataset.preview);
  if (button?.hasAttribute("data-close")) dialog.close();
  if (button?.hasAttribute("data-done")) location.assign(`/console/why?${new URLSearchParams({ id: uid })}`);
}

async function preview(url) {
  asked.replaceChildren(await patiently(() => part(url)));
  if (!dialog.open) dialog.showModal();
}

async function onSubmit(event) {
  event.preventDefault();
  event.submitter.disabled = true;
  try {
    asked.replaceChildren(await submitted(event.target));
  } catch (error) {
    event.submitter.disabled = false;
    if (!(error instanceof Unavailable)) throw error;
    return;
  }
  asked.querySelector("[data-done]")?.focus();
  await follow();
}

/** Until the request is decided. */
async function follow() {
  for (let told = state(); told?.dataset.state === "accepted"; told = state()) {
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    const next = await patiently(() => part(`/console/part/request?${new URLSearchParams({ request: told.dataset.request })}`));
    if (next.querySelector("[data-state]")?.dataset.state !== "accepted") asked.replaceChildren(next);
  }
  asked.querySelector("[data-done]")?.focus();
}

const state = () => asked.querySelector("[data-request]");

async function patiently(ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
  }
}
