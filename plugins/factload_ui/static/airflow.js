// Ways out of the frame into Airflow's own pages.

import { el } from "./dom.js";

// Where Airflow itself is: one level above this plugin.
const home = () => new URL("..", document.baseURI);

// A link to a page of Airflow. The frame may not navigate the page around it, so that page is asked to, as if its
// own Back button had been used: Airflow's router follows without loading anything anew.
export function airflowLink(path, attributes, ...children) {
  const target = new URL(path, home());
  const follow = (event) => {
    if (window.parent === window || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    window.parent.history.pushState(null, "", target.href);
    window.parent.dispatchEvent(new window.parent.PopStateEvent("popstate"));
  };
  return el("a", { href: target.href, ...attributes, onclick: follow }, ...children);
}
