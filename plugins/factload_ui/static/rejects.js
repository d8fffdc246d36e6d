// The rejects of a load: by reason, a page at a time, searched in the database, and as a workbook.

import { ask } from "./ask.js";
import { card, el, show, spoken, table } from "./dom.js";
import { count, plural } from "./format.js";

const columns = (several) => [
  ...(several ? [{ name: "Workbook", value: (row) => row.workbook }] : []),
  { name: "Row", number: true, value: (row) => count(row.row) },
  { name: "Sheet", value: (row) => row.sheet },
  { name: "Cell", value: (row) => row.cell ?? "–" },
  { name: "Column", value: (row) => row.column },
  { name: "Value", class: "value", value: (row) => (row.raw === null ? el("span", { class: "quiet" }, "(nothing)") : row.raw) },
  { name: "Reason", value: (row) => (row.duplicate_of ? `${row.reason}: ${row.duplicate_of} was first` : row.reason) },
];

// The rejects of the load at `path`; fetched when the card is made.
export function rejectsCard(path) {
  const wanted = { reason: "", search: "" };
  const pages = [{}]; // where each page begins that was seen, this one last
  const reasonList = el("div", { class: "reasons" });
  const rows = el("div", { class: "reject-rows", "aria-live": "polite" });
  const turn = el("nav", { class: "pager", "aria-label": "Pages of rejects" });
  const search = el("input", { type: "search", id: "reject-search", placeholder: "a value, a column, a row number", autocomplete: "off", maxlength: "200" });
  let asked = 0;

  async function draw() {
    const mine = ++asked;
    try {
      const page = await ask(`${path}/rejects`, { ...wanted, ...pages.at(-1) });
      if (mine !== asked) return; // an answer that a newer question has overtaken
      const several = new Set(page.rows.map((row) => row.workbook)).size > 1;
      show(rows, page.rows.length ? table("Rejected rows", columns(several), page.rows) : el("p", { class: "quiet" }, "No rejected row matches."));
      show(
        turn,
        pages.length > 1 ? el("button", { type: "button", onclick: () => (pages.pop(), draw()) }, "← Previous") : null,
        pages.length > 1 || page.next ? el("span", { class: "span" }, `Page ${pages.length}`) : null,
        page.next ? el("button", { type: "button", onclick: () => (pages.push({ workbook: page.next[0], sheet: page.next[1], row: page.next[2] }), draw()) }, "Next →") : null,
      );
    } catch (error) {
      show(rows, el("p", { class: "message", role: "alert" }, error.message));
      show(turn);
    }
  }

  function fromTheStart() {
    pages.splice(0, pages.length, {});
    draw();
  }

  function choose(reason) {
    wanted.reason = wanted.reason === reason ? "" : reason;
    for (const button of reasonList.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.reason === wanted.reason && wanted.reason !== ""));
    fromTheStart();
  }

  async function drawReasons() {
    const found = await ask(`${path}/reasons`);
    const most = Math.max(...found.map((each) => each.rows), 1);
    show(
      reasonList,
      found.map((each) =>
        el(
          "button",
          { type: "button", class: "reason", "data-reason": each.reason, "aria-pressed": "false", onclick: () => choose(each.reason) },
          el("span", { class: "name" }, each.reason),
          el("span", { class: "number" }, count(each.rows), spoken(` ${each.rows === 1 ? "row" : "rows"}`)),
          el("meter", { min: 0, max: most, value: each.rows, "aria-hidden": "true" }),
          el("small", null, each.explanation),
        ),
      ),
    );
    return found.reduce((sum, each) => sum + each.rows, 0);
  }

  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      wanted.search = search.value.trim();
      fromTheStart();
    }, 250);
  });

  const title = el("span");
  const body = el(
    "div",
    { class: "rejects" },
    reasonList,
    el(
      "div",
      null,
      el("div", { class: "tools" }, el("label", { for: "reject-search", class: "spoken" }, "Search the rejects"), search, el("a", { href: `api/${path}/rejects.xlsx`, class: "button", download: true }, "Download as workbook")),
      rows,
      turn,
    ),
  );
  const whole = card(title, "rejects", body);
  title.textContent = "Rejects";
  drawReasons().then(
    (total) => {
      title.textContent = total ? `${plural(total, "reject")}` : "Rejects";
      if (total) draw();
      else show(body, el("p", { class: "quiet" }, "No row was rejected."));
    },
    (error) => show(body, el("p", { class: "message", role: "alert" }, error.message)),
  );
  return whole;
}
