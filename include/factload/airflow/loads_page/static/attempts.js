// The attempts at a load, newest first: what each read, how it ended, why, and who released a held one or took one back.

import { card, el, prose, table } from "./dom.js";
import { baseName, count, duration, moment, size } from "./format.js";
import { badge, STATES } from "./states.js";
import { VERDICTS } from "./verified.js";

/** @import { Attempt, Load, SourceFile } from "./answers.js" */
/** @import { Column } from "./elements.js" */

/** @param {Attempt} attempt */
const ended = (attempt) =>
  attempt.ended_at ? (Date.parse(attempt.ended_at) - Date.parse(attempt.opened_at)) / 1000 : null;

/** @param {Attempt} attempt */
function released(attempt) {
  if (!attempt.released_by) return "";
  return `${attempt.released_by}, ${moment(attempt.released_at)}${attempt.release_reason ? `: ${attempt.release_reason}` : ""}`;
}

// Whose rows this attempt took back, and on whose word.
/** @param {Attempt} attempt */
const undone = ({ undoes, undone_by: who, undo_reason: reason }) =>
  undoes ? `attempt ${undoes}, by ${who}: ${reason}` : "";

// How many versions of members the attempt added, how many members it brought up to date, and how many it left as before.
/** @param {Attempt} attempt */
const members = ({ member_counts: counted }) =>
  Object.entries(counted)
    .map(([dimension, { updated, left, added }]) => {
      const said = [
        added === undefined ? "" : `${count(added)} versions added`,
        `${count(updated)} brought up to date`,
        left ? `${count(left)} left as before` : "",
      ];
      return `${dimension}: ${said.filter(Boolean).join(", ")}`;
    })
    .join("; ");

// How verify found the rows that this attempt published.
/** @param {Attempt} attempt */
const verified = ({ verified_at: when, verified_as: found }) =>
  found ? `${VERDICTS[found]}, ${moment(when)}` : "";

// Several workbooks are named one by one, in the order in which they were read.
/** @param {Attempt} attempt */
function workbooks({ sources, workbook, workbook_bytes: bytes, workbook_sha256: sha256 }) {
  const files = sources.length ? sources : [{ path: workbook, bytes, sha256 }];
  /** @param {SourceFile} file */
  const one = (file) => [
    el("span", { title: file.path }, baseName(file.path)),
    `, ${size(file.bytes)}, `,
    el("code", { title: `SHA-256 ${file.sha256}` }, file.sha256.slice(0, 10)),
  ];
  if (files.length === 1) return one(files[0]);
  return el(
    "details",
    null,
    el("summary", null, `${count(files.length)} workbooks, ${size(bytes)}`),
    el(
      "ul",
      { class: "files" },
      files.map((file) => el("li", null, one(file))),
    ),
  );
}

/** @type {(load: Load) => Column<Attempt>[]} */
const columns = (load) => [
  { name: "Attempt", value: (attempt) => attempt.epoch },
  // Only the newest can be at work; an older one without an end was taken over by the next.
  {
    name: "State",
    value: (attempt) =>
      badge(attempt.epoch === load.epoch ? load.state : STATES[attempt.state] ? attempt.state : "superseded"),
  },
  { name: "Began", value: (attempt) => moment(attempt.opened_at) },
  { name: "Ended after", number: true, value: (attempt) => duration(ended(attempt)) },
  { name: "Workbook", class: "files", value: workbooks },
  {
    name: "Published",
    number: true,
    value: (attempt) => (attempt.published_rows ? count(attempt.published_rows) : "–"),
  },
  { name: "Members", class: "why", value: members },
  { name: "Verified", value: verified },
  { name: "Released by", class: "why", value: released },
  { name: "Took back", class: "why", value: undone },
  {
    name: "Why it ended",
    class: "why",
    value: (attempt) =>
      attempt.error_message && attempt.epoch === load.epoch
        ? "said above"
        : prose(attempt.error_message ?? attempt.warnings.join(" ")),
  },
];

// A column that says nothing of any attempt is left out.
/** @param {Load} load */
const told = (load) =>
  columns(load).filter((column) => load.attempts.some((attempt) => String(column.value(attempt)) !== ""));

/** @param {Load} load */
export const attemptsCard = (load) =>
  card("Attempts", "attempts", table("Attempts, newest first", told(load), load.attempts, { asCards: true }));
