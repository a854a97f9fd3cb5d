// Golden sessions: what listeners did, with the rankings that native code gave. `src/wasm/tests/sessions` says how
// they are written.

/** The models that have sessions, each a fixture of that name. */
export const GOLDEN = ["first", "followed", "split", "whole"];

/** The sessions of a file, each a list of lines. */
export const sessions = (text) => text.trimEnd().split("\n\n").map((session) => session.split("\n"));

/** The lines of a session as `segue`, a new listener, answers them. */
export const played = (segue, lines) => lines.map((line) => play(segue, line));

function play(segue, line) {
  const [question, candidates = ""] = line.split("|").map((part) => part.trim());
  const [step, ...words] = question.split(" ");
  const given = Object.fromEntries(words.map(value));
  switch (step) {
    case "observe":
      segue.observe(given);
      return line;
    case "leave":
      segue.leave();
      return line;
    case "moment":
      segue.moment(given);
      return line;
    case "rank":
      return `${question} | ${candidates} | ${written(segue.rank(candidates.split(" "), given), "index")}`;
    case "top":
      return `${question} | ${written(segue.top(given), "row")}`;
    default:
      throw new Error(`no step of a session: ${line}`);
  }
}

const TEXTS = ["kind", "track", "region", "device", "source", "mood"];

function value(word) {
  const [name, value] = word.split("=");
  return [name, TEXTS.includes(name) ? value : Number(value)];
}

const written = (queue, index) =>
  queue.map((place) => [place[index], bits(place.score), bits(place.skip), place.moved].join(":")).join(" ");

/** Those of a 32-bit float, in hexadecimal. */
function bits(x) {
  if (x === null) return "-";
  const [bits] = new Uint32Array(Float32Array.of(x).buffer);
  return bits.toString(16).padStart(8, "0");
}
