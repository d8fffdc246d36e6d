// Questions to the server. What goes wrong comes back as a Problem, with a sentence that says what to do.

export class Problem extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const SENTENCES = {
  401: "Your login has ended. Reload Airflow's page to log in again.",
  403: "You may not read the runs of this DAG. Ask whoever gives out roles in Airflow.",
};

// The answer to `path`, relative to the page's base, with these parameters; those that are empty are left out.
export async function ask(path, parameters = {}) {
  const kept = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(kept).toString();
  let answer;
  try {
    answer = await fetch(`api/${path}${query ? `?${query}` : ""}`, { headers: { Accept: "application/json" } });
  } catch {
    throw new Problem(0, "unreachable", "Airflow's web server does not answer. Check that it runs.");
  }
  if (answer.ok) return answer.json();
  const detail = (await answer.json().catch(() => ({}))).detail;
  const message = detail?.message ?? SENTENCES[answer.status] ?? `Airflow answered with status ${answer.status}.`;
  throw new Problem(answer.status, detail?.code ?? "", message);
}
