// What publishing would change in numbers, and the command that says which rows.

import { commandLine } from "./backfill.js";
import { el, table } from "./dom.js";
import { alike, count, decimal } from "./format.js";

/** @import { DayAnswer, ReportedChange } from "./answers.js" */
/** @import { Column } from "./elements.js" */

/** @typedef {{ name: string, before: string, after: string }} Line */

/** @type {Column<Line>[]} */
const COLUMNS = [
  { name: "Of", unseen: true, value: (line) => line.name },
  { name: "Before", number: true, value: (line) => line.before },
  { name: "After", number: true, value: (line) => line.after },
  { name: "Verdict", unseen: true, value: (line) => (line.before === line.after ? "equal" : "changes") },
];

/**
 * @param {ReportedChange | null} change
 * @param {DayAnswer} answer
 */
export function differences(change, { feed, period }) {
  if (!change) return null;
  /** @type {Line[]} */
  const lines = [
    { name: "rows", before: count(change.rows.before), after: count(change.rows.after) },
    ...Object.entries(change.totals).map(([name, total]) => {
      const [before, after] = alike(total.before, total.after);
      return { name, before: decimal(before), after: decimal(after) };
    }),
  ];
  return [
    el("h3", null, "What publishing would change"),
    el("p", null, `Before: ${change.of}. After: as this workbook has it.`),
    table("Rows and control totals, before and after", COLUMNS, lines, { asCards: true }),
    el("p", null, "Row by row, with the largest changes and their cells (this stages the rows):"),
    commandLine(`factload diff ${feed} --period ${period}`),
  ];
}
