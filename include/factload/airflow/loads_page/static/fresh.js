// How old what readers of a feed's rows see is, in a sentence.

import { el } from "./dom.js";
import { daysBetween, longDay, moment, plural, today } from "./format.js";

/** @import { Fresh } from "./answers.js" */

/** @param {string} newest */
function age(newest) {
  const days = daysBetween(newest, today());
  return days <= 0 ? "today" : `${plural(days, "day")} ago`;
}

/** @type {Record<string, (fresh: Fresh) => string>} */
const EXPECTED = {
  fresh: ({ due }) => (due ? "Nothing newer has been due." : ""),
  awaited: ({ due, by }) => `${longDay(due ?? "")} has to be published by ${moment(by)}.`,
  late: ({ due, by }) => `${longDay(due ?? "")} had to be published by ${moment(by)}: it is late.`,
  behind: ({ due }) => `${longDay(due ?? "")} has been due since.`,
};

/** @param {Fresh} fresh */
export const freshness = (fresh) =>
  el(
    "p",
    { class: fresh.state === "late" ? "summary late" : "summary" },
    fresh.newest
      ? `Published up to ${longDay(fresh.newest)}, ${age(fresh.newest)}. `
      : "Nothing is published yet. ",
    EXPECTED[fresh.state](fresh),
  );
