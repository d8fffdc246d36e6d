// The workbook of a day, for who may start runs: uploaded into its place, checked by a dry run, loaded.

import { airflowLink, runPath } from "./airflow.js";
import { placeFor, trigger, upload } from "./change.js";
import { card, el, show } from "./dom.js";
import { moment, size } from "./format.js";

/** @import { DayAnswer, Place } from "./answers.js" */
/** @import { Child } from "./elements.js" */

const KINDS = ".xlsx,.xlsm,.csv,.gz,.xls,.xlsb,.ods";

/**
 * @param {string} words
 * @param {() => unknown} act
 * @param {string} [look]
 */
const button = (words, act, look) => el("button", { type: "button", class: look, onclick: act }, words);

// The card, which stays the same however often the page is drawn; `update` tells it of each answer. `started` is
// called when a run has been started.
/**
 * @param {{ path: string, dagId: string, period: string, started: () => unknown }} day
 */
export function workbookCard({ path, dagId, period, started }) {
  const input = el("input", { type: "file", id: "workbook-file", accept: KINDS });
  const corrected = el("input", { type: "checkbox", id: "workbook-corrected" });
  const kind = el(
    "p",
    { hidden: true },
    corrected,
    el("label", { for: "workbook-corrected" }, " It is the workbook of rejects, corrected"),
  );
  const told = el("div", { role: "status", class: "told" });
  const place = el("code", null);
  const send = button("Upload", () => begin(), "button strong");
  const actions = el(
    "p",
    { class: "actions" },
    button("Check it", () => run("The check", { dry_run: true })),
    button("Load it", () => run("The load", {})),
  );
  const node = card(
    "The workbook",
    "workbook",
    el("p", { class: "quiet" }, "It belongs at ", place, "."),
    el("p", null, el("label", { for: "workbook-file" }, "A workbook to put there "), input, " ", send),
    kind,
    told,
    actions,
    el(
      "p",
      { class: "quiet" },
      "A check is a dry run: it reads everything, says here what is wrong, and writes nothing. A load is a run of the day.",
    ),
  );

  let begun = ""; // the run that is spoken of
  /** @param {...Child} words */
  const say = (...words) => show(told, el("p", null, words));

  // One thing at a time; what goes wrong is said.
  /** @param {() => Promise<unknown>} act */
  async function doing(act) {
    for (const each of node.querySelectorAll("button")) each.disabled = true;
    try {
      await act();
    } catch (/** @type {any} */ error) {
      show(told, el("p", { class: "banner failed", role: "alert" }, error.message));
    } finally {
      for (const each of node.querySelectorAll("button")) each.disabled = false;
    }
  }

  const begin = () =>
    doing(async () => {
      begun = ""; // what is said from now on is about the workbook, and stays when that run ends
      const file = input.files?.[0];
      if (!file) {
        say("Choose a workbook first.");
        return;
      }
      if (!kind.hidden && corrected.checked) {
        await sendCorrected(file);
        return;
      }
      const found = await placeFor(path, file.name);
      if (found.there) ask(file, found);
      else await put(file);
    });

  // Never over an existing workbook without a person's word.
  /**
   * @param {File} file
   * @param {Place} found
   */
  function ask(file, { path: where, there }) {
    if (!there) return;
    show(
      told,
      el(
        "div",
        { class: "banner held" },
        el("p", null, "There is a workbook at ", el("code", null, where), " already: "),
        el("p", null, `${size(there.bytes)}, of ${moment(there.changed)}. Shall yours take its place?`),
        button("Replace it", () => doing(() => put(file, there.sha256)), "button strong"),
        button("Keep it", () => say("Nothing was changed.")),
      ),
    );
  }

  /**
   * @param {File} file
   * @param {string} [over]
   */
  async function put(file, over) {
    say("Uploading …");
    const done = await upload(path, file, { over });
    say("Uploaded: ", el("code", null, done.path), `, ${size(done.bytes)}. Check it, or load it.`);
    input.value = "";
  }

  /** @param {File} file */
  async function sendCorrected(file) {
    say("Uploading …");
    const done = await upload(path, file, { corrected: true });
    input.value = "";
    await start("The replay", { replay: true, workbook: done.path });
  }

  /** @type {(what: string, asked: Record<string, string | boolean>) => Promise<unknown>} */
  const run = (what, asked) => doing(() => start(what, asked));

  /**
   * @param {string} what
   * @param {Record<string, string | boolean>} asked
   */
  async function start(what, asked) {
    const runId = await trigger(dagId, { period, ...asked });
    say(`${what} has begun: `, airflowLink(runPath(dagId, runId), null, "its run in Airflow"), ".");
    begun = runId;
    await started();
  }

  /** @param {DayAnswer} answer */
  function update({ workbook, load, runs }) {
    place.textContent = workbook;
    if (runs.some((each) => each.run_id === begun && !each.at_work)) {
      begun = "";
      say(); // the page shows what came of it
    }
    kind.hidden = !load?.rows.rejected;
  }
  return { node, update };
}
