// The time zone in which Airflow shows its moments: the one that is chosen in its navigation.

export function chosenZone() {
  try {
    const zone = JSON.parse(window.localStorage.getItem("timezone") ?? '"UTC"');
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch {
    return "UTC";
  }
}
