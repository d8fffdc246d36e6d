// What publishing would change row by row: of a load whose rows are staged, or as a dry run found it.

import { ask } from "./ask.js";
import { commandLine } from "./backfill.js";
import { compared } from "./charts/bars.js";
import { card, el, show, table } from "./dom.js";
import { alike, count, decimal, plural } from "./format.js";

/** @import { BeforeAfter, Change, DayAnswer, Difference, DryRunReport } from "./answers.js" */
/** @import { Child, Column } from "./elements.js" */

// How many rows there are, and each measure's sum, before and after.
/**
 * @param {{ before: number, after: number }} rows
 * @param {Record<string, BeforeAfter>} totals
 */
export function beforeAndAfter(rows, totals) {
  /** @type {(of: string, before: string, after: string) => [string, import("./charts/bars.js").Bar[]]} */
  const thing = (of, before, after) => [
    of,
    [
      { name: "before", kind: "before", shown: before },
      { name: "after", kind: "after", shown: after },
    ],
  ];
  return compared("Rows and control totals, before and after publishing", [
    thing("rows", count(rows.before), count(rows.after)),
    ...Object.entries(totals).map(([name, total]) => {
      const [before, after] = alike(total.before, total.after);
      return thing(name, decimal(before), decimal(after));
    }),
  ]);
}

/** @param {string | null} value */
const held = (value) => (value === null ? "(nothing)" : value);

/** @param {Change} change */
const values = ({ values, columns }) =>
  values
    ? Object.entries(values).map(([name, [before, after]]) =>
        el("span", { class: "block" }, `${name}: ${held(before)} → ${held(after)}`),
      )
    : (columns ?? []).join(", ");

// Where the new row stands; a row that is removed stands nowhere in the workbook.
/** @param {Change} change */
function place({ sheet, row, cells }) {
  if (row === null) return "";
  // Of one row: A7 before B7, and before AA7.
  const inOrder = [...new Set(Object.values(cells))].sort(
    (a, b) => a.length - b.length || a.localeCompare(b),
  );
  return `${sheet}!${inOrder.join(", ") || `row ${row}`}`;
}

/** @type {Column<Change>} */
const KEY = {
  name: "Row",
  value: ({ key }) =>
    Object.entries(key ?? {})
      .map(([name, value]) => `${name} ${held(value)}`)
      .join(", "),
};

/** @type {(withKeys: boolean, several: boolean) => Column<Change>[]} */
const columns = (withKeys, several) => [
  { name: "Change", unseen: true, value: (change) => change.kind },
  ...(withKeys ? [KEY] : []),
  { name: withKeys ? "Before → after" : "Columns", class: "value", value: values },
  { name: "Cells", value: place },
  ...(several ? [{ name: "Workbook", value: (/** @type {Change} */ change) => change.workbook ?? "" }] : []),
];

// A dry run's report has no values, as it is kept where others look: then columns and cells are named alone.
/** @param {Difference} found */
export function rowByRow({ rows, key, largest, vanishing, notes, workbooks }) {
  const { added, removed, changed, unchanged } = rows;
  const some = added + removed + changed > 0;
  return [
    el(
      "p",
      null,
      el(
        "strong",
        null,
        some
          ? `${count(added)} added, ${count(removed)} removed, ${count(changed)} changed`
          : "No row would change",
      ),
      some ? `, ${count(unchanged)} as they are. Rows are paired by ${key.join(", ") || "nothing"}.` : ".",
    ),
    largest.length
      ? table(
          "The largest changes, of ten at most",
          columns("key" in largest[0], workbooks.length > 1),
          largest,
          { asCards: true },
        )
      : null,
    Object.entries(vanishing).map(([name, { members, first }]) => {
      const named = first?.length ? `: ${first.join(", ")}${members > first.length ? " …" : ""}` : "";
      return el("p", null, `${plural(members, "member")} of ${name} would have no row any more${named}.`);
    }),
    notes.length
      ? el(
          "ul",
          { class: "quiet" },
          notes.map((note) => el("li", null, note)),
        )
      : null,
  ];
}

// What a dry run's report says of it: in numbers against what was published, and row by row where rows of the load stand.
/**
 * @param {DryRunReport} report
 * @param {DayAnswer} answer
 */
export function differences({ change, difference }, { feed, period }) {
  if (!change) return null;
  return [
    el("h3", null, "What publishing would change"),
    el("p", null, `Before: ${change.of}. After: as this workbook has it.`),
    beforeAndAfter(change.rows, change.totals),
    difference
      ? [rowByRow(difference), el("p", null, "With the values (this stages the rows):")]
      : el("p", null, "Row by row, with the largest changes and their cells (this stages the rows):"),
    commandLine(`factload diff ${feed} --period ${period}`),
  ];
}

// Asked for when the card is made, since it may take the database some seconds.
/**
 * @param {string} path
 * @param {DayAnswer} answer
 */
export function rowByRowCard(path, { feed, period }) {
  const found = el(
    "div",
    { "aria-live": "polite" },
    el("p", { class: "quiet" }, "Comparing with what stands …"),
  );
  async function draw() {
    /** @type {Child[]} */
    let words;
    try {
      /** @type {Difference} */
      const difference = await ask(`${path}/difference`);
      words = [beforeAndAfter(difference.rows, difference.totals), rowByRow(difference)];
    } catch (/** @type {any} */ error) {
      words = [
        el("p", { class: "message", role: "alert" }, error.message),
        el("button", { type: "button", onclick: draw }, "Try again"),
      ];
    }
    show(found, words);
  }
  draw();
  return card(
    "What publishing would change",
    "difference",
    found,
    el("p", { class: "quiet" }, "The same on the command line:"),
    commandLine(`factload diff ${feed} --period ${period}`),
  );
}
