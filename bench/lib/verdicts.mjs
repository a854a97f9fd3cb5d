// Ratings of films as events: `node verdicts.mjs u.data` prints one JSON object a line, a rating of 4 and more as a
// like, of 2 and less as a skip; what lies between says neither and is left out.

import { readFileSync } from "node:fs";

const lines = readFileSync(process.argv[2], "utf8").trimEnd().split("\n");
for (const [at, line] of lines.entries()) {
  const [user, track, rating, seconds] = line.split("\t");
  if (rating === "3") continue;
  const kind = Number(rating) > 3 ? "like" : "skip";
  console.log(JSON.stringify({ id: `r${at}`, user, session: user, track, at: Number(seconds) * 1000, kind }));
}
