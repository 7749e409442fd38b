// The house: numbers by themselves, rejected records when somebody looks.

import { part, repeatedly, submitted } from "./net.js";

const EVERY_MS = 2_000;
const COVERAGE_MS = 10_000;

let house, coverage, records;

export function start() {
  house = document.getElementById("house");
  records = document.getElementById("records");
  coverage = document.getElementById("coverage-now");
  repeatedly(refresh, EVERY_MS);
  cover().catch(() => {});
  repeatedly(cover, COVERAGE_MS);
  house.addEventListener("click", (event) => {
    const reason = event.target.closest("[data-reason]")?.dataset.reason;
    if (reason) look(reason);
  });
  records.addEventListener("submit", again);
}

async function refresh() {
  const found = await part("/console/part/house");
  if (!found.isGood) return;
  const focused = document.activeElement?.dataset?.reason;
  house.replaceChildren(found);
  if (focused) house.querySelector(`[data-reason="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

async function cover() {
  const found = await part("/console/part/coverage");
  if (found.isGood) coverage.replaceChildren(found);
}

async function look(reason) {
  records.replaceChildren(await part(`/console/part/rejected?${new URLSearchParams({ reason })}`));
  records.hidden = false;
  records.scrollIntoView({ block: "nearest" });
}

async function again(event) {
  event.preventDefault();
  event.submitter.disabled = true;
  event.target.append(await submitted(event.target));
}
