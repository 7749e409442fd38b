/* Onetrail for web pages: which pages a visitor saw, for how long, how far down, and what was clicked.

   <script async src="https://collect.example.com/onetrail.js" data-write-key="KEY"></script>
     data-interval="1000"      milliseconds between two pushes
     data-consent="required"   store and send nothing before onetrail.consent(true)
     data-collector="URL"      where events go; default: where this script came from
   onetrail.track(name, properties)   onetrail.identify(id, traits)   onetrail.page(name, properties)
   onetrail.consent(true | false)     onetrail.reset()   (logged out)   onetrail.anonymousId()

   An event is kept in localStorage until the collector has answered 200 for it. What is sent twice has the same id, so it
   counts once. What is typed into a page is never read, and of addresses only host and path (and utm_ parameters).
   data-onetrail="name" names an element; text inside of data-private is not read. */
(() => {
  'use strict';
  const KEEP = 'onetrail.', EVENT = KEEP + 'e.', EVENT_BYTES = 32000, BATCH_BYTES = 48000, BUFFER_CHARS = 1e6, RULES_MS = 3000;
  const PAUSE_MS_MAX = 60000, TEXT_MAX = 80;
  const UNREAD = 'input,textarea,select,[contenteditable]:not([contenteditable="false"]),[data-private]';
  const NAMED = '[data-onetrail],a,button,summary,label,input,select,textarea,[role=button],[role=link],[role=tab]';
  const script = document.currentScript, settings = { ...script.dataset }, early = window.onetrail;
  if (early?.anonymousId) return; // the page has it twice
  const collector = (settings.collector || new URL(script.src).origin).replace(/\/+$/, '');
  const interval = settings.interval >= 100 && settings.interval <= PAUSE_MS_MAX ? +settings.interval : 1000;
  let running = false, queue = [], held = 0, dropped = 0, serial = 0, view = null, person = null;
  let sending = false, stopped = false, failures = 0, resumeAt = 0, batchMax = 100;
  let rules = [], rulesAt = -Infinity, rulesRead = Promise.resolve();

  // What is remembered: localStorage, or this page's memory where the browser refuses it.
  const memory = new Map();
  const load = name => { try { return memory.get(name) ?? localStorage.getItem(name); } catch { return null; } };
  const save = (name, value) => {
    try { localStorage.setItem(name, value); memory.delete(name); } catch { memory.set(name, value); }
  };
  const forget = name => { memory.delete(name); try { localStorage.removeItem(name); } catch { /* it was never there */ } };
  const stored = begin => {
    try { return Object.keys(localStorage).filter(key => key.startsWith(begin)).sort(); } catch { return []; }
  };

  const warn = (...words) => console.warn('onetrail:', ...words);
  // A fault of ours, or a hostile page, must never break the page.
  const guarded = what => (...args) => { try { return what(...args); } catch (error) { warn(error); return undefined; } };
  const hex = (number, digits) => number.toString(16).padStart(digits, '0');
  const unique = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => hex(byte, 2)).join('');
  // Ids of events sort as they happened, also within a millisecond.
  const nextId = () => hex(Date.now(), 12) + hex(serial++ % 65536, 4) + unique().slice(16);
  const iso = ms => new Date(ms).toISOString();
  const short = words => Array.from(words.replace(/\s+/g, ' ').trim()).slice(0, TEXT_MAX).join('');
  const text = value => typeof value === 'string' ? short(value) : '';
  const allowed = () => settings.consent === 'required' ? load(KEEP + 'consent') === 'yes' : load(KEEP + 'consent') !== 'no';

  // Who and where.
  const anonymousId = () => {
    if (!running) return null;
    if (!load(KEEP + 'id')) save(KEEP + 'id', unique());
    return load(KEEP + 'id');
  };
  const route = () => /^#!?\//.test(location.hash) ? location.hash.split('?')[0] : '';
  const path = () => location.pathname + route();
  const address = () => location.hostname.replace(/^www\./, '') + (location.port && ':' + location.port) + path();
  const bare = url => url && url.split(/[?#]/)[0];
  const campaign = () => {
    const told = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith('utm_'));
    return told.length ? Object.fromEntries(told.map(([name, value]) => [name.slice(4), text(value)])) : undefined;
  };
  const page = () => {
    const shown = { path: path(), url: location.origin + path(), title: text(document.title), referrer: bare(document.referrer) };
    return { page: shown, campaign: campaign() };
  };

  // Events: written down at once, with the time and the person of this moment.
  const record = (fields, at, where) => {
    if (!running || !allowed()) return;
    const timestamp = iso(at || Date.now()), context = where || page();
    const event = { messageId: nextId(), timestamp, anonymousId: anonymousId(), context, ...fields };
    const json = JSON.stringify({ userId: load(KEEP + 'user') || undefined, ...event });
    const bytes = new Blob([json]).size;
    if (bytes > EVENT_BYTES) { warn('an event of', bytes, 'bytes is too large and was left out'); return; }
    const key = EVENT + nextId();
    save(key, json);
    keep({ key, json, bytes });
  };
  const keep = entry => {
    queue.push(entry);
    held += entry.json.length;
    while (held > BUFFER_CHARS) { remove([queue[0]]); dropped++; }
  };
  const remove = entries => {
    for (const entry of entries) forget(entry.key);
    queue = queue.filter(entry => !entries.includes(entry));
    held = queue.reduce((sum, entry) => sum + entry.json.length, 0);
  };
  const track = (event, properties, at, where) =>
    record({ type: 'track', event, properties: { ...properties, visit_id: view?.id } }, at, where);

  // Views: from entering to leaving. A page that is hidden was left; shown again it is another view.
  const enter = extra => {
    if (!running || view || document.visibilityState === 'hidden') return;
    view = { id: nextId(), at: Date.now(), scroll: 0, clicks: 0, path: path(), where: page(), extra, told: false };
  };
  const look = () => { view.where = { ...page(), campaign: view.where.campaign }; }; // titles come late, and addresses are tidied
  const leave = () => {
    if (!view) return;
    if (view.path === path()) { look(); scrolled(); }
    const { at, scroll, clicks, extra, where } = view, { title } = where.page, left = Math.max(at, Date.now());
    const times = { entered_at: iso(at), left_at: iso(left), scroll_depth: scroll, clicks };
    const properties = { visit_id: view.id, path: view.path, title, ...extra, ...times };
    record({ type: 'track', event: 'page_viewed', messageId: view.id, properties }, at, where);
    view = null;
  };
  const tellOpenView = () => {
    if (!view || view.told) return;
    view.told = true;
    look();
    const { path: seen, where, at, extra } = view;
    track('page_entered', { path: seen, title: where.page.title, ...extra, entered_at: iso(at) }, at, where);
  };
  const moved = () => { if (view && view.path !== path()) { leave(); enter(); } };
  const scrolled = () => {
    if (!view || document.readyState !== 'complete') return; // a page that is half there has no height yet
    const seen = (scrollY + innerHeight) / (document.documentElement.scrollHeight || 1);
    view.scroll = Math.max(view.scroll, Math.min(100, Math.round(100 * seen)));
  };

  // Clicks, and the events that the configuration makes of them.
  const attribute = (element, name) => element.getAttribute(name);
  const label = element => element.closest(UNREAD) || element.querySelector(UNREAD) ? '' : text(element.textContent);
  const step = element => {
    const same = [...element.parentElement?.children ?? []].filter(one => one.localName === element.localName);
    return element.localName + (same.length > 1 ? `:nth-of-type(${same.indexOf(element) + 1})` : '');
  };
  const named = element => {
    const steps = [];
    for (let node = element; node && node.localName !== 'body' && steps.length < 6; node = node.parentElement) {
      if (attribute(node, 'id')) { steps.unshift('#' + CSS.escape(attribute(node, 'id'))); break; }
      steps.unshift(step(node));
    }
    return attribute(element, 'data-onetrail') || steps.join('>');
  };
  const clicked = event => {
    const around = event.composedPath().filter(node => node instanceof Element);
    const element = around[0]?.closest(NAMED) || around[0];
    if (!running || !element || ['html', 'body'].includes(element.localName)) return;
    if (view) view.clicks++;
    const where = page(), { path: seenAt, title } = where.page;
    const properties = { element: named(element), tag: element.localName, path: seenAt, title };
    const words = element.matches(NAMED) ? label(element) : ''; // of a button or link; not of half the page
    const seen = { type: text(attribute(element, 'type')) || undefined, text: words || undefined };
    const click = { around, address: address(), where, properties, at: Date.now(), made: new Set() };
    track('element_clicked', { ...properties, ...seen, x: Math.round(event.pageX), y: Math.round(event.pageY) }, click.at, where);
    apply(click);
    readRules().then(() => apply(click));
  };
  const apply = guarded(click => {
    for (const rule of rules.filter(one => one.page.test(click.address) && !click.made.has(one.event))) {
      const found = click.around.find(element => element.matches(rule.element));
      if (!found) continue;
      click.made.add(rule.event);
      const read = ([name, source]) => [name, source === 'text' ? label(found) : text(attribute(found, source.slice(1)))];
      const own = Object.fromEntries(Object.entries(rule.properties).map(read));
      track(rule.event, { ...click.properties, ...own, rule_version: rule.version }, click.at, click.where);
    }
  });
  const isSelector = ({ element }) => {
    try { new DocumentFragment().querySelector(element); return true; } catch { return warn('no selector here:', element); }
  };
  // Asked for when the page begins and after clicks, so that a quiet page asks for nothing.
  const readRules = () => {
    if (performance.now() - rulesAt < RULES_MS) return rulesRead;
    rulesAt = performance.now();
    rulesRead = fetch(collector + '/v1/codeless?writeKey=' + encodeURIComponent(settings.writeKey), { credentials: 'omit' })
      .then(answer => answer.ok ? answer.json() : { rules })
      .then(found => { rules = found.rules.filter(isSelector).map(rule => ({ ...rule, page: new RegExp(rule.page) })); })
      .catch(() => { rulesAt = -Infinity; });
    return rulesRead;
  };

  // Sending: in order, one batch at a time; and all that is left when the page goes, without waiting for an answer.
  const body = entries => {
    const { userAgent, language: locale } = navigator;
    const context = { library: { name: 'onetrail.js' }, userAgent, locale, dropped: dropped || undefined };
    const head = JSON.stringify({ writeKey: settings.writeKey, sentAt: iso(Date.now()), context }).slice(0, -1);
    return `${head},"batch":[${entries.map(entry => entry.json).join(',')}]}`;
  };
  const batch = entries => {
    let bytes = 0;
    const end = entries.findIndex(entry => (bytes += entry.bytes) > BATCH_BYTES);
    return entries.slice(0, Math.min(end < 0 ? entries.length : Math.max(1, end), batchMax));
  };
  const push = guarded(() => {
    if (!running) return;
    if (!allowed()) { halt(); return; }
    tellOpenView();
    scrolled();
    if (sending || stopped || !queue.length || performance.now() < resumeAt) return;
    const sent = batch(queue), told = dropped, headers = { 'Content-Type': 'text/plain' };
    sending = true;
    mark(sent, true);
    fetch(collector + '/v1/batch', { method: 'POST', body: body(sent), headers, credentials: 'omit', keepalive: true })
      .then(answer => answered(answer, sent, told), () => pause(0))
      .finally(() => { sending = false; mark(sent, false); });
  });
  const mark = (entries, gone) => { for (const entry of entries) entry.gone = gone; };
  const answered = (answer, sent, told) => {
    const { status } = answer;
    if (status === 401) { stopped = true; warn('the collector does not know this write key; nothing is sent'); return; }
    if (status === 408 || status === 429 || status > 499) { pause(1000 * (answer.headers.get('Retry-After') || 0)); return; }
    if (status === 413 && sent.length > 1) { batchMax = sent.length >> 1; return; }
    if (status !== 200) warn('the collector refused', sent.length, 'events:', status);
    failures = 0;
    dropped -= told;
    remove(sent);
  };
  const pause = ms => {
    resumeAt = performance.now() + Math.min(PAUSE_MS_MAX, Math.max(ms, interval * 2 ** failures++ * (0.75 + Math.random() / 2)));
  };
  const depart = () => {
    leave();
    while (running && !stopped) {
      const sent = batch(queue.filter(entry => !entry.gone));
      if (!sent.length || !navigator.sendBeacon(collector + '/v1/batch', body(sent))) return;
      mark(sent, true); // kept nevertheless: the next push, of this page or another one, learns whether they came
    }
  };

  // Beginning and end.
  const start = () => {
    if (running || !allowed()) return;
    running = true;
    for (const key of stored(EVENT)) {
      const json = load(key);
      if (isJson(json)) keep({ key, json, bytes: new Blob([json]).size });
      else forget(key);
    }
    readRules();
    if (person) onetrail.identify(...person);
    enter();
  };
  const isJson = given => { try { return !!JSON.parse(given); } catch { return false; } };
  const halt = () => {
    running = false;
    view = null;
    [...stored(KEEP), ...memory.keys()].filter(name => name !== KEEP + 'consent').forEach(forget);
    queue = [];
    held = 0;
  };
  const onetrail = {
    track: (name, properties) => track(name, properties),
    page: (name, properties) => { leave(); enter({ ...properties, name }); },
    identify: (id, traits) => {
      person = [id, traits];
      if (!running) return; // told when the visitor agrees
      const known = load(KEEP + 'user'), own = id == null ? known : String(id); // without an id: traits alone
      if (known && known !== own) forget(KEEP + 'id'); // another person at the same device
      if (own) save(KEEP + 'user', own);
      record({ type: 'identify', traits });
    },
    reset: () => { person = null; forget(KEEP + 'user'); forget(KEEP + 'id'); },
    consent: given => {
      if (!given) halt();
      if (given || settings.consent !== 'required') save(KEEP + 'consent', given ? 'yes' : 'no');
      else forget(KEEP + 'consent');
      start();
    },
    anonymousId,
    push: ([name, ...args]) => onetrail[name](...args),
  };
  for (const name of Object.keys(onetrail)) onetrail[name] = guarded(onetrail[name]);
  for (const name of ['pushState', 'replaceState']) {
    const original = history[name];
    history[name] = function (...args) { original.apply(this, args); guarded(moved)(); };
  }
  const on = (name, what) => addEventListener(name, guarded(what), { capture: true, passive: true });
  on('popstate', moved);
  on('hashchange', moved);
  on('scroll', scrolled);
  on('click', clicked);
  on('visibilitychange', () => {
    if (document.visibilityState !== 'hidden') { enter({ returned: true }); return; }
    leave();
    if (queue.some(entry => !entry.gone)) push();
    depart();
  });
  on('pagehide', depart);
  on('pageshow', event => event.persisted && enter({ returned: true }));
  on('online', () => { resumeAt = failures = 0; });
  setInterval(push, interval);
  window.onetrail = onetrail;
  start();
  if (Array.isArray(early)) early.forEach(onetrail.push);
})();
