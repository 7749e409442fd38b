// Asking the worker for parts of a page. A part that cannot be had now is asked for again by whoever wanted it; meanwhile a
// notice says so, and what the page shows stays.

const notice = document.getElementById("notice");

export class Unavailable extends Error {}

/** A part as a fragment; null where nothing changed. Throws Unavailable when asking again may help. */
export async function part(url, options = {}) {
  const headers = { "X-Onetrail-Part": "1", "X-CSRF-Token": document.body.dataset.csrf, ...options.headers };
  const answer = await fetch(url, { ...options, headers, credentials: "same-origin" }).catch(() => null);
  if (answer === null) return unavailable("away");
  if (answer.status === 503) return unavailable("moving");
  if (answer.status === 429) return unavailable("away");
  if (answer.status === 401) return over();
  tell(null);
  return answer.status === 204 ? null : fragment(await answer.text(), answer.ok);
}

/** Sends a form; its answer is a part. */
export function submitted(form) {
  return part(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
}

/** One sentence for everybody, read out; null takes it away. */
export function tell(name) {
  notice.hidden = name === null;
  notice.textContent = name === null ? "" : notice.dataset[name];
}

function fragment(text, isGood) {
  const template = document.createElement("template");
  template.innerHTML = text; // made by the worker, where everything that people sent was escaped
  template.content.isGood = isGood;
  return template.content;
}

function unavailable(name) {
  tell(name);
  throw new Unavailable(name);
}

function over() {
  tell("over");
  location.reload();
  return new Promise(() => {});
}

/** Calls `step` again and again while the page is seen, `ms` after each end, later while the worker is away. */
export function repeatedly(step, ms) {
  let pause = ms;
  const again = async () => {
    if (!document.hidden) {
      pause = await step().then(() => ms, (error) => later(error, pause));
    }
    setTimeout(again, pause);
  };
  document.addEventListener("visibilitychange", () => { pause = ms; });
  setTimeout(again, ms);
}

function later(error, pause) {
  if (!(error instanceof Unavailable)) throw error;
  return Math.min(pause * 2, 10_000);
}
