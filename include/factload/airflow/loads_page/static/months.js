// A feed's last months, each in a line: what stands of it.

import { card, el, table } from "./dom.js";
import { count, decimal, month } from "./format.js";

/** @import { Month } from "./answers.js" */
/** @import { Column } from "./elements.js" */

/** @param {Month} each */
function verified({ days, verified: found, altered }) {
  const words = found === days ? "all" : `${count(found)} of ${count(days)} days`;
  return altered
    ? el("span", { class: "differs" }, `${words}; ${count(altered)} not as published`)
    : found === days
      ? el("span", { class: "agrees" }, words)
      : words;
}

/** @param {Month[]} months */
export function monthsCard(months) {
  const measures = [...new Set(months.flatMap((each) => Object.keys(each.totals)))];
  /** @type {Column<Month>[]} */
  const columns = [
    { name: "Month", value: (each) => month(each.first) },
    { name: "Days published", number: true, value: (each) => count(each.days) },
    { name: "Rows", number: true, value: (each) => count(each.rows) },
    ...measures.map((name) => ({
      name: `Sum of ${name}`,
      number: true,
      value: (/** @type {Month} */ each) => (each.totals[name] ? decimal(each.totals[name]) : "–"),
    })),
    { name: "Verified", value: verified },
  ];
  return months.length
    ? card("What stands, month by month", "months", table("Months", columns, months, { asCards: true }))
    : null;
}
