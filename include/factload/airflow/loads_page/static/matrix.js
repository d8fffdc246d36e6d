// Feeds × days: a table whose cells are links to the loads. One stop of the Tab key; the arrows go from day to day.
//
// A row is made anew only when its feed has changed. The rows in sight are painted first, the others after them.

import { dayAt, daysIn, moveFocus } from "./arrows.js";
import { DAY, GAPS, isNarrow, nameWidth } from "./days.js";
import { el, spoken } from "./dom.js";
import { feedRow, statesOf } from "./feed_row.js";
import { asDate, longDay, month, shortDay } from "./format.js";
import { shadesOf } from "./shades.js";
import { STATES, sign, USUAL } from "./states.js";

/** @import { FeedDays } from "./answers.js" */

const AT_A_TIME = 40; // rows

/** @param {string} day */
const weekend = (day) => [0, 6].includes(asDate(day).getUTCDay());

/** @param {string[]} days */
function monthHeads(days) {
  /** @type {{ name: string, span: number }[]} */
  const heads = [];
  for (const day of days) {
    const name = month(day);
    const newest = heads.at(-1);
    if (newest?.name === name) newest.span += 1;
    else heads.push({ name, span: 1 });
  }
  // A month of a day or two has no room for its name.
  return heads.map(({ name, span }) =>
    el(
      "th",
      { colspan: span, scope: "colgroup", class: "month" },
      span > 3 ? el("span", { class: "insight" }, name) : spoken(name),
    ),
  );
}

/**
 * @param {string[]} days
 * @param {string} today
 * @param {boolean} narrow
 */
function head(days, today, narrow) {
  return el(
    "thead",
    null,
    el(
      "tr",
      null,
      el("td", { class: "corner" }),
      monthHeads(days),
      narrow ? null : el("td", { class: "gaps" }),
    ),
    el(
      "tr",
      null,
      el("th", { scope: "col", class: "corner" }, "Feed"),
      days.map((day) =>
        el(
          "th",
          {
            scope: "col",
            class: [weekend(day) && "weekend", day === today && "today"].filter(Boolean).join(" ") || null,
          },
          el("span", { "aria-hidden": "true" }, String(asDate(day).getUTCDate())),
          spoken(shortDay(day)),
        ),
      ),
      narrow ? null : el("th", { scope: "col", class: "gaps" }, spoken("Gaps")),
    ),
  );
}

// What a screen reader says, for the pointer too; made when it is wanted, there are thousands.
/** @param {Event} event */
function sayAtPointer(event) {
  const link = dayAt(event);
  if (link && !link.title) link.title = link.getAttribute("aria-label") ?? "";
}

const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

// The table for these days. `update(feeds)` shows them; `isShown(entry)` says which rows are not hidden.
/**
 * @param {string[]} days
 * @param {string} today
 */
export function matrix(days, today) {
  const narrow = isNarrow();
  const columns = el("colgroup");
  const table = el(
    "table",
    { class: "matrix", onkeydown: moveFocus, onpointerover: sayAtPointer },
    el(
      "caption",
      { class: "spoken" },
      `The loads of each feed from ${longDay(days[0])} to ${longDay(days[days.length - 1])}. The arrow keys lead from day to day.`,
    ),
    columns,
    head(days, today, narrow),
  );
  const node = el("div", { class: "matrix-scroll" }, table);
  let atNewest = false; // until the first rows are there
  /** @type {Map<string, { text: string, entry: FeedDays, body: HTMLTableSectionElement }>} */
  const rows = new Map(); // feed → { entry as text, body }
  let turn = 0;
  let isShown = (/** @type {FeedDays} */ _) => true;

  /** @param {FeedDays[]} feeds */
  function widths(feeds) {
    const lacking = feeds.some((entry) => entry.gaps.length);
    const name = nameWidth(feeds);
    const beside = narrow || !lacking ? 0 : GAPS;
    columns.replaceChildren(
      el("col", { width: name }),
      ...days.map(() => el("col", { width: DAY })),
      ...(narrow ? [] : [el("col")]),
    );
    table.classList.toggle("gapless", !lacking);
    table.style.minWidth = `${name + days.length * DAY + beside}px`;
    node.style.scrollPaddingLeft = `${name + 8}px`; // what has the focus isn't below the names
    node.style.setProperty("--names", `${name}px`);
    node.style.setProperty("--beside", `${beside}px`);
  }

  function toNewest() {
    if (atNewest) return;
    atNewest = true;
    node.scrollLeft = node.scrollWidth;
  }

  /**
   * @param {FeedDays} entry
   * @param {HTMLTableSectionElement | null} before
   */
  function put(entry, before) {
    const text = JSON.stringify(entry);
    const known = rows.get(entry.feed);
    if (known?.text === text) return known.body;
    const made = feedRow(entry, days, narrow);
    made.hidden = !isShown(entry);
    const focused = known?.body.contains(document.activeElement)
      ? document.activeElement?.getAttribute("href")
      : null;
    if (known) known.body.replaceWith(made);
    else if (before) before.after(made);
    else table.append(made);
    rows.set(entry.feed, { text, entry, body: made });
    if (focused)
      [...made.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
    return made;
  }

  function oneStop() {
    if (table.querySelector('tbody:not([hidden]) a.day[tabindex="0"]')) return;
    const first = [...rows.values()].find(({ body: its }) => !its.hidden && its.querySelector("a.day"));
    if (first) daysIn(first.body)[daysIn(first.body).length - 1].tabIndex = 0;
  }

  /** @param {FeedDays[]} feeds */
  async function update(feeds) {
    const mine = ++turn;
    widths(feeds);
    const wanted = new Set(feeds.map((entry) => entry.feed));
    for (const [feed, { body: old }] of rows) {
      if (wanted.has(feed)) continue;
      old.remove();
      rows.delete(feed);
    }
    let before = null;
    for (const [index, entry] of feeds.entries()) {
      if (index && index % AT_A_TIME === 0) {
        oneStop();
        await painted();
        if (mine !== turn) return; // a newer answer is being shown
      }
      before = put(entry, before);
    }
    oneStop();
    toNewest();
  }

  /** @param {(entry: FeedDays) => boolean} test */
  function show(test) {
    isShown = test;
    for (const { entry, body: its } of rows.values()) its.hidden = !test(entry);
    oneStop();
  }

  return { node, update, show };
}

/** @param {FeedDays[]} feeds */
export function legend(feeds) {
  const there = new Set(feeds.flatMap(statesOf));
  const states = Object.keys(STATES).filter((state) => USUAL.includes(state) || there.has(state));
  return el(
    "ul",
    { class: "legend", "aria-label": "What the signs mean" },
    states.map((state) => el("li", null, sign(state), STATES[state].name)),
    shadesOf(feeds),
  );
}
