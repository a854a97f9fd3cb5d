/** Listeners as `bench/data/listeners.mjs` writes them: for each the events that they are made of. */
export function parse(text) {
  const event = (written) => {
    const [kind, row, played, duration] = written.split(" ");
    const event = { kind, track: Number(row), played_ms: Number(played) };
    return duration === "0" ? event : { ...event, duration_ms: Number(duration) };
  };
  return text.trim().split("\n").map((line) => line.split(";").map(event));
}
