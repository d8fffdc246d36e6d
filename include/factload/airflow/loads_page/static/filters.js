// What the calendar comes to, as buttons that leave the feeds with such days, and a search among many feeds.

import { chosen, remember } from "./address.js";
import { el, show } from "./dom.js";
import { statesOf } from "./feed_row.js";
import { count, plural } from "./format.js";
import { STATES, sign } from "./states.js";

/** @import { FeedDays } from "./answers.js" */

const MANY = 12; // feeds, from which on a search helps
const ORDER = [
  "running",
  "waiting",
  "missing",
  "held",
  "reconciled",
  "released",
  "altered",
  "refused",
  "failed",
  "undone",
  "stalled",
  "unknown",
]; // worth a look

// `apply(test)` is told which feeds are wanted. `update(feeds)` counts anew.
/** @param {(test: (entry: FeedDays) => boolean) => void} apply */
export function filters(apply) {
  const wanted = { state: chosen("state"), text: chosen("feed").trim().toLowerCase() };
  const words = el("span", { role: "status" });
  const period = el("span", { class: "quiet" });
  const buttons = el("span", {
    class: "chips",
    role: "group",
    "aria-label": "Show only feeds with days that are",
  });
  const search = el("input", {
    type: "search",
    "aria-label": "Search the feeds",
    placeholder: "Search the feeds",
    autocomplete: "off",
    hidden: true,
    value: wanted.text,
  });
  /** @type {FeedDays[]} */
  let feeds = [];

  const shownButtons = () => /** @type {HTMLElement[]} */ ([...buttons.children]);

  /** @param {FeedDays} entry */
  const test = (entry) =>
    entry.feed.toLowerCase().includes(wanted.text) &&
    (!wanted.state || statesOf(entry).includes(wanted.state));

  function narrow() {
    apply(test);
    remember({ state: wanted.state, feed: wanted.text });
    const left = feeds.filter(test).length;
    const all = plural(feeds.length, "feed");
    const next = left === feeds.length ? all : `${count(left)} of ${all}`;
    if (words.textContent !== next) words.textContent = next;
    for (const button of shownButtons())
      button.setAttribute("aria-pressed", String(button.dataset.state === wanted.state));
  }

  /** @param {string} state */
  function choose(state) {
    wanted.state = wanted.state === state ? "" : state;
    narrow();
  }

  search.addEventListener("input", () => {
    wanted.text = search.value.trim().toLowerCase();
    narrow();
  });

  /**
   * @param {FeedDays[]} found
   * @param {number} days
   */
  function update(found, days) {
    feeds = found;
    period.textContent = `in ${plural(days, "day")}:`;
    const numbers = new Map();
    for (const state of feeds.flatMap(statesOf)) numbers.set(state, (numbers.get(state) ?? 0) + 1);
    const chips = ORDER.filter((state) => numbers.has(state)).map((state) => ({
      state,
      number: numbers.get(state),
    }));
    if (wanted.state && !numbers.has(wanted.state)) wanted.state = "";
    search.hidden = feeds.length < MANY && !wanted.text;
    period.hidden = !chips.length;
    const now = JSON.stringify(chips);
    if (buttons.dataset.shown !== now) {
      const focused = shownButtons().find((button) => button.contains(document.activeElement))?.dataset.state;
      show(
        buttons,
        chips.map(({ state, number }) =>
          el(
            "button",
            {
              type: "button",
              class: "chip",
              "data-state": state,
              "aria-pressed": "false",
              onclick: () => choose(state),
            },
            sign(state),
            `${count(number)} ${STATES[state].name}`,
          ),
        ),
      );
      buttons.dataset.shown = now;
      if (focused)
        shownButtons()
          .find((button) => button.dataset.state === focused)
          ?.focus();
    }
    narrow();
  }

  return {
    node: el("div", { class: "summary filters", id: "summary" }, words, period, buttons, search),
    update,
  };
}
