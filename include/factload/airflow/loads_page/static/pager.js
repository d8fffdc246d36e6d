// The way to the days before and after those that a calendar shows.

import { el } from "./dom.js";
import { addDays, shortDay } from "./format.js";

// `path` is the page's own.
/**
 * @param {string[]} days
 * @param {string} today
 * @param {string} path
 */
export function pager(days, today, path) {
  const [first, last] = [days[0], days[days.length - 1]];
  /** @param {string} day */
  const to = (day) => (day >= today ? path : `${path}?last=${day}`);
  return el(
    "nav",
    { class: "pager", "aria-label": "Days shown" },
    el("a", { href: to(addDays(last, -days.length)), class: "button" }, "← Earlier"),
    el("span", { class: "span" }, `${shortDay(first)} – ${shortDay(last)}`),
    last < today ? el("a", { href: to(addDays(last, days.length)), class: "button" }, "Later →") : null,
  );
}
