// Writes the files of `segue evaluate new` for a data set: `node newtracks.mjs DATA OUT`, which makes
// OUT/<set>.events.jsonl and, but for 30Music, whose log has a column of artists,
// OUT/<set>.catalogue.jsonl, for those of `hetrec-lastfm`, `ml-100k` and `30music` that DATA holds.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [data, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });

const rows = (path, by, encoding) =>
  readFileSync(join(data, path), encoding).trimEnd().split(/\r?\n/).map((line) => line.split(by));
const write = (name, lines) =>
  writeFileSync(join(out, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

// An artist is a track here. Plays are not dated: each counts once, all at one time, in an order that says
// nothing (the file's own goes by how often they were played). A tag is one that two listeners gave the artist, the most often given first.
if (existsSync(join(data, "hetrec-lastfm"))) {
  const drawn = ([user, artist]) => (user * 2654435761 + artist * 40503 * 65537) >>> 0;
  const plays = rows("hetrec-lastfm/user_artists.dat", "\t", "utf8").slice(1);
  write(
    "hetrec-lastfm.events.jsonl",
    plays.sort((a, b) => drawn(a) - drawn(b)).map(([user, track]) => ({ user, track, at: 0 })),
  );
  const names = rows("hetrec-lastfm/tags.dat", "\t", "latin1").slice(1);
  const nameOf = new Map(names.map(([tag, name]) => [tag, name]));
  const tagsOf = new Map();
  for (const [, artist, tag] of rows("hetrec-lastfm/user_taggedartists.dat", "\t", "utf8").slice(1)) {
    if (!tagsOf.has(artist)) tagsOf.set(artist, new Map());
    const counts = tagsOf.get(artist);
    counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  const tags = (artist) =>
    [...(tagsOf.get(artist) ?? [])]
      .filter(([, times]) => times > 1)
      .sort((a, b) => b[1] - a[1] || Number(a[0]) - Number(b[0]))
      .map(([tag]) => nameOf.get(tag) ?? "")
      .filter((tag) => tag !== "");
  const artists = rows("hetrec-lastfm/artists.dat", "\t", "utf8").slice(1);
  write(
    "hetrec-lastfm.catalogue.jsonl",
    artists.map(([artist, title]) => ({ track: artist, title, tags: tags(artist) })),
  );
}

// A film is a track, its genres are the tags, and every rating of 4 or 5 is a yes, of 1 or 2 a no.
if (existsSync(join(data, "ml-100k"))) {
  const kinds = { 1: "dislike", 2: "dislike", 4: "like", 5: "like" };
  const ratings = rows("ml-100k/u.data", "\t", "utf8").filter(([, , rating]) => rating in kinds);
  write(
    "ml-100k.events.jsonl",
    ratings.map(([user, track, rating, at]) => ({ user, track, at: Number(at), kind: kinds[rating] })),
  );
  const genres = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
  ];
  const films = rows("ml-100k/u.item", "|", "latin1");
  write(
    "ml-100k.catalogue.jsonl",
    films.map(([track, title, , , , ...flags]) => ({
      track, title, tags: genres.filter((_, at) => flags[at] === "1"),
    })),
  );
}

if (existsSync(join(data, "30music/plays.tsv"))) {
  const plays = rows("30music/plays.tsv", "\t", "utf8").slice(1);
  write(
    "30music.events.jsonl",
    plays.map(([user, session, track, artist, at]) => ({ user, session, track, artist, at: Number(at) })),
  );
}
