// Who was looked at lately, kept in this browser alone and forgotten at the sign-out.

const KEY = "onetrail.recent";
const MAX = 12;

export function start() {
  const shown = document.querySelector("[data-wanted]");
  if (shown?.dataset.wanted) remember(shown.dataset.wanted, shown.dataset.uid);
  const list = document.getElementById("recents");
  if (list) show(list);
}

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one?.wanted === "string" && typeof one?.uid === "string") : [];
  } catch {
    return [];
  }
}

function remember(wanted, uid) {
  const known = kept().find((one) => one.uid === uid);
  const name = wanted === uid && known ? known.wanted : wanted;
  const others = kept().filter((one) => one.uid !== uid);
  localStorage.setItem(KEY, JSON.stringify([{ wanted: name, uid }, ...others].slice(0, MAX)));
}

function show(list) {
  const card = list.closest("section");
  for (const { wanted, uid } of kept()) list.append(entry(wanted, uid));
  card.hidden = list.children.length === 0;
  document.getElementById("forget").addEventListener("click", () => {
    localStorage.removeItem(KEY);
    list.replaceChildren();
    card.hidden = true;
    document.getElementById("q").focus();
  });
}

function entry(wanted, uid) {
  const link = document.createElement("a");
  link.href = `/console/?${new URLSearchParams({ id: wanted })}`;
  const [name, code] = [document.createElement("bdi"), document.createElement("code")];
  name.textContent = wanted === uid ? `${uid.slice(0, 8)}…${uid.slice(-4)}` : wanted;
  code.textContent = `${uid.slice(0, 8)}…${uid.slice(-4)}`;
  link.append(name, code);
  const item = document.createElement("li");
  item.append(link);
  return item;
}
