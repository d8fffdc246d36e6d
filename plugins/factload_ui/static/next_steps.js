// What a person can do about a load that is held: decide in Airflow, send the rejects back, try them again.

import { airflowLink, runPath } from "./airflow.js";
import { commandLine } from "./backfill.js";
import { card, el } from "./dom.js";

function decide({ runs }, dagId) {
  const asking = runs.find((run) => run.asks);
  if (!asking) return null;
  return el(
    "p",
    null,
    airflowLink(`${runPath(dagId, asking.run_id)}/tasks/release/required_actions`, { class: "button strong" }, "Decide in Airflow"),
    " Its run waits for a person's word and reason: publish without the rejected rows, or leave it held.",
  );
}

export function nextSteps(answer, dagId) {
  const { load } = answer;
  if (load.state !== "held") return null;
  const decision = decide(answer, dagId);
  return card(
    "What to do next",
    "next",
    decision,
    el("p", null, "The workbook is wrong: send the rejects back as a workbook (below). Corrected, its rows take the place of the rejected ones:"),
    commandLine(`factload replay ${load.load_id} --workbook rejects.xlsx`),
    el("p", null, "A dimension lagged behind: when it has caught up, trigger the DAG with Replay rejects, or:"),
    commandLine(`factload replay ${load.load_id}`),
    decision ? null : [el("p", null, "The rows are right to be left out:"), commandLine(`factload release ${load.load_id} --reason "why"`)],
  );
}
