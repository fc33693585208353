// Times are told in the zone of who reads the page, which is not always the browser's, with its name.
export function timeOfDay(moment, { seconds = false } = {}) {
  const shown = { hour: "2-digit", minute: "2-digit", timeZone: document.body.dataset.zone, timeZoneName: "short" };
  return moment.toLocaleTimeString("en-GB", seconds ? { ...shown, second: "2-digit" } : shown);
}

export function dayAndTime(moment) {
  return `${moment.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: document.body.dataset.zone })} ${timeOfDay(moment)}`;
}
