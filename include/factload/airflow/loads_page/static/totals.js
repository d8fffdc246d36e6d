// The control totals: the verdict first, then each measure's exact sum before and after.

import { compared } from "./charts/bars.js";
import { card, el, table } from "./dom.js";
import { alike, baseName, count, decimal, size } from "./format.js";

/** @import { DayAnswer, Load, Total, Witness } from "./answers.js" */
/** @import { Child, Column } from "./elements.js" */

/** @param {Total} total */
const equal = (total) => {
  const [source, published] = alike(total.source, total.published ?? "");
  return source === published;
};

/** @param {Load} load */
function verdict(load) {
  const told = load.totals.filter((total) => total.published !== null);
  if (!told.length) return null;
  const agree = told.filter(equal).length;
  const words =
    told.length === 1
      ? agree
        ? "equal"
        : "differ"
      : agree === told.length
        ? `all ${count(told.length)} equal`
        : `${count(told.length - agree)} of ${count(told.length)} differ`;
  return el(
    "span",
    { class: `badge ${agree === told.length ? "published" : "failed"}` },
    agree === told.length ? "✓ " : "✕ ",
    words,
  );
}

/** @param {Total} total */
const oneVerdict = (total) =>
  total.published === null
    ? ""
    : equal(total)
      ? el("span", { class: "agrees" }, "✓ equal")
      : el("span", { class: "differs" }, "✕ differ");

/** @param {Load} load */
function whyNone({ state }) {
  if (state === "running") return "Control totals come with the reconciliation.";
  if (state === "undone") return "No row of it stands.";
  if (["failed", "refused", "stalled"].includes(state)) return "The load ended before its reconciliation.";
  return "No column of the feed has a control total.";
}

/** @param {Load} load */
function sums(load) {
  if (!load.totals.length) return el("p", { class: "quiet" }, whyNone(load));
  const shown = load.totals.map((total) => {
    const [source, published] =
      total.published === null ? [total.source, null] : alike(total.source, total.published);
    return { ...total, shown: decimal(source), after: published === null ? "–" : decimal(published) };
  });
  /** @type {Column<Total & { shown: string, after: string }>[]} */
  const columns = [
    { name: "Measure", value: (total) => total.measure },
    ...(shown.some((total) => total.published !== null)
      ? [{ name: "Verdict", unseen: true, value: oneVerdict }]
      : []),
    { name: "Source", number: true, value: (total) => total.shown },
    { name: "Published", number: true, value: (total) => total.after },
    ...(shown.some((total) => total.witness !== null)
      ? [
          {
            name: "Owner's number",
            number: true,
            value: (/** @type {Total} */ total) => (total.witness === null ? "" : decimal(total.witness)),
          },
        ]
      : []),
  ];
  return table("The sum of each measure, before and after", columns, shown, { asCards: true });
}

/** @param {Witness} witness */
function told(witness) {
  const of = witness.workbook ? `${baseName(witness.workbook)}: ` : "";
  if (witness.problem) return el("li", null, of, el("span", { class: "differs" }, witness.problem));
  const verdict = witness.equal
    ? el("span", { class: "agrees" }, "✓ equal")
    : el("span", { class: "differs" }, `✕ differs by ${decimal(witness.difference)}`);
  const words = `${of}${witness.place} says ${witness.says} ${decimal(witness.number)}, ${witness.rows} rows have ${decimal(witness.found)} `;
  return el("li", null, words, verdict);
}

// What the owner's own numbers say, one a line.
/** @param {Load} load */
const witnesses = (load) =>
  load.witness.length ? el("ul", { class: "quiet" }, load.witness.map(told)) : null;

// The owner's number, what was counted of the rows that it speaks of, and what was published. One witness speaks of all
// that was published, one of several of its own part.
/** @param {Load} load */
function pictured({ witness, totals, rows }) {
  const told = witness.filter((one) => !one.problem);
  if (!told.length) return null;
  /** @param {Witness} one */
  const published = ({ measure }) => {
    if (witness.length > 1 || !rows.published) return null;
    return measure ? totals.find((total) => total.measure === measure)?.published : String(rows.published);
  };
  return [
    el("h3", null, "The owner's number, and the load's"),
    compared(
      "The owner's number, what was counted, and what was published",
      told.map((one) => {
        const [number, found] = alike(one.number, one.found);
        const seen = published(one);
        const of = one.workbook ? `${one.says}, ${baseName(one.workbook)}` : one.says;
        return [
          of,
          [
            { name: `owner's number, ${one.place}`, kind: "witness", shown: decimal(number) },
            { name: `${one.rows} rows`, kind: "found", shown: decimal(found) },
            ...(seen
              ? [{ name: "published", kind: "published", shown: decimal(alike(seen, one.number)[0]) }]
              : []),
          ],
        ];
      }),
    ),
  ];
}

// What was read, and where it went: beside the totals.
/**
 * @param {DayAnswer} answer
 * @param {Load} load
 */
function origin(answer, load) {
  const [{ workbook, workbook_bytes: bytes, workbook_sha256: sha256, sources }] = load.attempts;
  const several = sources.length > 1;
  /** @type {[string, Child][]} */
  const facts = [
    [
      "Workbook",
      several
        ? `${count(sources.length)} workbooks: ${sources.map((file) => baseName(file.path)).join(", ")}`
        : baseName(workbook),
    ],
    ["Size", size(bytes)],
    [several ? "SHA-256 of all" : "SHA-256", el("code", { title: sha256 }, `${sha256.slice(0, 16)} …`)],
    ["Table", answer.table],
  ];
  return el(
    "dl",
    { class: "facts" },
    facts.map(([name, value]) => [el("dt", null, name), el("dd", null, value)]),
  );
}

/** @type {(answer: DayAnswer, load: Load) => HTMLElement} */
export const totalsCard = (answer, load) =>
  card(
    ["Control totals ", verdict(load)],
    "totals",
    sums(load),
    witnesses(load),
    pictured(load),
    origin(answer, load),
  );

// Long sums need the whole width.
/** @param {Load} load */
export const areLong = (load) => load.totals.some((total) => total.source.length > 16);
