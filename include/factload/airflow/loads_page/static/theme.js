// Light or dark before the first paint: as Airflow's own page has it, which this one stands in; else as Airflow
// was last told; else as the system has it. Airflow keeps its choice as a class of its root element.
(() => {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const airflow = () => {
    try {
      return window.parent === window ? null : window.parent.document.documentElement;
    } catch {
      return null; // a frame of another origin
    }
  };
  const chosen = () => {
    const outer = airflow()?.classList;
    for (const theme of ["dark", "light"]) {
      if (outer?.contains(theme)) return theme;
    }
    const stored = window.localStorage.getItem("theme");
    return stored === "dark" || stored === "light" ? stored : system.matches ? "dark" : "light";
  };
  const apply = () => {
    document.documentElement.dataset.theme = chosen();
  };
  apply();
  system.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  const outer = airflow();
  if (outer) new MutationObserver(apply).observe(outer, { attributes: true, attributeFilter: ["class"] });
})();
