// The scripts of the console. Each page names itself; its module puts parts that the worker made into their places.

import { start as house } from "./house.js";
import { start as recent } from "./recent.js";
import { start as timeline } from "./timeline.js";
import { start as why } from "./why.js";

const pages = { find: [recent], journey: [recent, timeline], why: [recent, why], house: [house] };

document.documentElement.classList.add("scripted");
for (const start of pages[document.getElementById("main").dataset.page] ?? []) start();
document.querySelector(".out")?.addEventListener("submit", () => localStorage.clear());
