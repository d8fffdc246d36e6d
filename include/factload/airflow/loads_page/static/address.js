// What is chosen on a page stands in its address, so that Back, a reload and a link to somebody else keep it.

/** @param {string} name */
export const chosen = (name) => new URL(window.location.href).searchParams.get(name) ?? "";

// Airflow's page around this one has its own address, with this one's at its end; it hears of pages, not of choices.
function tellAirflow() {
  if (window.parent === window) return;
  try {
    const { history, location } = window.parent;
    if (location.pathname.endsWith(window.location.pathname))
      history.replaceState(history.state, "", location.pathname + window.location.search);
  } catch {
    // a frame of another origin
  }
}

// `values`: name → text; what is empty is left out of the address.
/** @param {Record<string, string>} values */
export function remember(values) {
  const here = new URL(window.location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) here.searchParams.set(name, value);
    else here.searchParams.delete(name);
  }
  if (here.href === window.location.href) return;
  window.history.replaceState(window.history.state, "", here.href);
  tellAirflow();
}
