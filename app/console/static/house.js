// The house: numbers by themselves, rejected records when somebody looks.

import { part, repeatedly, submitted, Unavailable } from "./net.js";

const EVERY_MS = 2_000;
const COVERAGE_MS = 10_000;

let house, coverage, records;

export function start() {
  house = document.getElementById("house");
  records = document.getElementById("records");
  coverage = document.getElementById("coverage-now");
  repeatedly(refresh, EVERY_MS);
  unlessAway(cover());
  repeatedly(cover, COVERAGE_MS);
  house.addEventListener("click", (event) => {
    const reason = event.target.closest("[data-reason]")?.dataset.reason;
    if (reason) unlessAway(look(reason));
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
  await unlessAway(submitted(event.target).then((told) => event.target.append(told)), () => { event.submitter.disabled = false; });
}

/** A worker that is away is named in the notice already; `otherwise` puts back what waited for it. */
function unlessAway(asked, otherwise = () => {}) {
  return asked.catch((error) => {
    if (!(error instanceof Unavailable)) throw error;
    otherwise();
  });
}
