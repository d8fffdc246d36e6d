// A run without a load.

import { el, show } from "../dom.js";
import { notice } from "../notices.js";

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
show(
  main,
  el("h1", null, "No load"),
  notice(
    "This run has no load",
    el("p", null, "The run is gone, its parameter “period” is not a date, or the DAG loads no feed."),
    el(
      "p",
      null,
      el(
        "a",
        { href: `dags/${encodeURIComponent(document.body.dataset.dagId ?? "")}` },
        "See all loads of this DAG",
      ),
    ),
  ),
);
main.removeAttribute("aria-busy");
