// Writes the files of `segue evaluate next` for a data set: `node sittings.mjs DATA OUT`, which makes
// OUT/<set>.train (a sitting a line) and OUT/<set>.test (a sitting so far, a tab, the track that came
// next) for `lastfm-seq`, `30music` and `30music-dense`, those of them that DATA holds.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [data, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });

const lines = (path) => readFileSync(path, "utf8").trimEnd().split("\n");
const write = (name, train, test) => {
  writeFileSync(join(out, `${name}.train`), train.map((line) => `${line.join(" ")}\n`).join(""));
  writeFileSync(
    join(out, `${name}.test`),
    test.map(([before, next]) => `${before.join(" ")}\t${next}\n`).join(""),
  );
};

// The last item of each listener is asked for, after all that came before.
const seq = join(data, "lastfm-seq/LastFM.txt");
if (existsSync(seq)) {
  const histories = lines(seq).map((line) => line.trim().split(" ").slice(1));
  write(
    "lastfm-seq",
    histories.map((items) => items.slice(0, -1)),
    histories.map((items) => [items.slice(0, -1), items.at(-1)]),
  );
}

// The first 85 % of the sessions by when they began; every later track of the others is asked for: of all
// tracks, and of those that are played five times.
const music = join(data, "30music/plays.tsv");
if (existsSync(music)) {
  const sessions = new Map();
  for (const line of lines(music).slice(1)) {
    const [, session, track, , at] = line.split("\t");
    if (!sessions.has(session)) sessions.set(session, []);
    sessions.get(session).push([Number(at), track]);
  }
  const ordered = [...sessions.values()].map((plays) => plays.sort((a, b) => a[0] - b[0]));
  ordered.sort((a, b) => a[0][0] - b[0][0]);
  const tracks = ordered.map((plays) => plays.map(([, track]) => track));
  writeByTime("30music", tracks);
  writeByTime("30music-dense", dense(tracks, 5));
}

function writeByTime(name, sessions) {
  const end = Math.floor(sessions.length * 0.85);
  const asked = sessions.slice(end).flatMap((plays) =>
    plays.slice(1).map((next, before) => [plays.slice(0, before + 1), next]),
  );
  write(name, sessions.slice(0, end), asked);
}

// Tracks that are played `least` times, in sessions of two or more, as session-based recommendation is
// usually measured.
function dense(sessions, least) {
  const played = new Map();
  for (const track of sessions.flat()) played.set(track, (played.get(track) ?? 0) + 1);
  const kept = sessions
    .map((plays) => plays.filter((track) => played.get(track) >= least))
    .filter((plays) => plays.length > 1);
  const same = kept.flat().length === sessions.flat().length;
  return same ? kept : dense(kept, least);
}
