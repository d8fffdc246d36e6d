// The rejects of a load: by reason, a page at a time, searched in the database, and as a workbook.

import { chosen, remember } from "./address.js";
import { ask, download } from "./ask.js";
import { card, el, show, spoken, table } from "./dom.js";
import { count, plural } from "./format.js";
import { markedDownload } from "./marked.js";
import { TITLES } from "./notices.js";

/** @import { Reason, Refusal, Reject, RejectPage } from "./answers.js" */
/** @import { Column } from "./elements.js" */

/**
 * Where a page begins: after this reject.
 * @typedef {{ number: number, workbook?: string, sheet?: string, row?: number }} Place
 */

/** @param {string} words */
const quiet = (words) => el("span", { class: "quiet" }, words);

// Some rejects are about a row, not about one cell of it: then no cell's content is kept.
/** @param {Reject} row */
const held = (row) => (row.raw !== null ? row.raw : row.cell === null ? quiet("–") : quiet("(nothing)"));
// Facts!B1042 as Excel calls it, so that it can be copied into its name box; the cell is what is looked for.
/** @param {Reject} row */
const cell = (row) => {
  const after = row.address.lastIndexOf("!") + 1;
  return [quiet(row.address.slice(0, after)), el("span", null, row.address.slice(after))];
};
/** @param {Reject} row */
const reason = (row) =>
  row.duplicate_of
    ? [row.reason, el("small", { class: "block" }, `${row.duplicate_of} was first`)]
    : row.reason;

/** @type {(several: boolean) => Column<Reject>[]} */
const columns = (several) => [
  { name: "Row", number: true, value: (row) => count(row.row) },
  { name: "Value", class: "value", value: held },
  { name: "Reason", value: reason },
  { name: "Column", value: (row) => row.column },
  { name: "Cell", value: cell },
  ...(several ? [{ name: "Workbook", value: (/** @type {Reject} */ row) => row.workbook }] : []),
];

// Where the page begins that the address names: [workbook, sheet, row], and its number.
/** @returns {Place | null} */
function pageOfAddress() {
  try {
    const [number, workbook, sheet, row] = JSON.parse(chosen("rejects") || "null") ?? [1];
    return number > 1 ? { number, workbook, sheet, row } : null;
  } catch {
    return null;
  }
}

// The rejects of the load at `path`; `several`: of more than one workbook. Fetched when the card is made.
/**
 * @param {string} path
 * @param {boolean} several
 */
export function rejectsCard(path, several) {
  const wanted = { reason: chosen("reason"), search: chosen("search") };
  const linked = pageOfAddress();
  /** @type {Place[]} */
  const pages = linked ? [{ number: 1 }, linked] : [{ number: 1 }]; // where each page begins that was seen, this one last
  const reasonList = el("div", { class: "reasons" });
  const rows = el("div", { class: "reject-rows", "aria-live": "polite" });
  const turn = el("nav", { class: "pager", "aria-label": "Pages of rejects" });
  const search = el("input", {
    type: "search",
    id: "reject-search",
    placeholder: "a value, a column, a row number",
    autocomplete: "off",
    maxlength: "200",
    value: wanted.search,
  });
  const newest = () => pages[pages.length - 1];
  let asked = 0;

  /** @type {(error: Refusal, retry: () => void) => HTMLElement} */
  const trouble = (error, retry) =>
    el(
      "div",
      { role: "alert" },
      el("p", { class: "message" }, TITLES[error.code] ? `${TITLES[error.code]}: ` : "", error.message),
      el("button", { type: "button", onclick: retry }, "Try again"),
    );

  function keepInAddress() {
    const { number, workbook, sheet, row } = newest();
    remember({ ...wanted, rejects: number > 1 ? JSON.stringify([number, workbook, sheet, row]) : "" });
  }

  /** @param {() => unknown} pageOf */
  function turnTo(pageOf) {
    pageOf();
    draw();
  }

  async function draw() {
    const mine = ++asked;
    keepInAddress();
    for (const button of turn.querySelectorAll("button")) button.disabled = true; // they belong to the answer before
    try {
      const { number, ...after } = newest();
      /** @type {RejectPage} */
      const page = await ask(`${path}/rejects`, { ...wanted, ...after });
      if (mine !== asked) return; // an answer that a newer question has overtaken
      show(
        rows,
        page.rows.length
          ? table("Rejected rows", columns(several), page.rows, { asCards: true })
          : el("p", { class: "quiet" }, "No rejected row matches."),
      );
      const next = page.next && {
        number: number + 1,
        workbook: page.next[0],
        sheet: page.next[1],
        row: page.next[2],
      };
      show(
        turn,
        pages.length > 1
          ? el(
              "button",
              { type: "button", onclick: () => turnTo(() => pages.pop()) },
              pages[pages.length - 2].number === number - 1 ? "← Previous" : "← First",
            )
          : null,
        number > 1 || next ? el("span", { class: "span" }, `Page ${number}`) : null,
        next
          ? el("button", { type: "button", onclick: () => turnTo(() => pages.push(next)) }, "Next →")
          : null,
      );
    } catch (/** @type {any} */ error) {
      if (mine !== asked) return;
      show(rows, trouble(error, draw));
      show(turn);
    }
  }

  function fromTheStart() {
    pages.splice(0, pages.length, { number: 1 });
    draw();
  }

  function showChosen() {
    for (const button of reasonList.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset.reason === wanted.reason));
  }

  /** @param {string} code */
  function choose(code) {
    wanted.reason = wanted.reason === code ? "" : code;
    showChosen();
    fromTheStart();
  }

  async function drawReasons() {
    /** @type {Reason[]} */
    const found = await ask(`${path}/reasons`);
    const most = Math.max(...found.map((each) => each.rows), 1);
    show(
      reasonList,
      found.map((each) =>
        el(
          "button",
          { type: "button", class: "reason", "data-reason": each.reason, onclick: () => choose(each.reason) },
          el("span", { class: "name" }, each.reason),
          el("span", { class: "number" }, count(each.rows), spoken(` ${each.rows === 1 ? "row" : "rows"}`)),
          el("meter", { min: 0, max: most, value: each.rows, "aria-hidden": "true" }),
          el("small", null, each.explanation),
        ),
      ),
    );
    if (!found.some((each) => each.reason === wanted.reason)) wanted.reason = "";
    showChosen();
    return found.reduce((sum, each) => sum + each.rows, 0);
  }

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      wanted.search = search.value.trim();
      fromTheStart();
    }, 250);
  });

  const told = el("span", { role: "status", class: "quiet" });
  /** @param {Event} event */
  const getAll = async (event) => {
    event.preventDefault();
    told.textContent = "Writing the workbook …";
    try {
      const { name } = await download(`${path}/rejects.xlsx`);
      told.textContent = name.includes("list-of-rejects")
        ? "Airflow's web server can't read the load's workbooks: this is a list to look at. The workbook to correct is written by factload rejects … --xlsx, where they can be read."
        : "";
    } catch (/** @type {any} */ error) {
      told.textContent = error.message;
    }
  };
  const tools = el(
    "div",
    { class: "tools" },
    el("label", { for: "reject-search", class: "spoken" }, "Search the rejects"),
    search,
    el(
      "a",
      { href: `api/${path}/rejects.xlsx`, class: "button", download: true, onclick: getAll },
      "Download as workbook",
    ),
    markedDownload(`${path}/annotated.xlsx`),
    told,
  );
  const body = el("div", { class: "rejects" }, reasonList, el("div", null, tools, rows, turn));
  const place = el("div", null, body);
  const title = el("span", null, "Rejects");

  async function begin() {
    try {
      const total = await drawReasons();
      title.textContent = total ? plural(total, "reject") : "Rejects";
      show(place, total ? body : el("p", { class: "quiet" }, "No row was rejected."));
      if (total) draw();
    } catch (/** @type {any} */ error) {
      show(place, trouble(error, begin));
    }
  }
  begin();
  return card(title, "rejects", place);
}
