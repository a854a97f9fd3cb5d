import type { Segue } from "segue";

import { Catalogue } from "./catalogue.js";
import { Deck } from "./deck.js";
import { byId, count } from "./dom.js";
import { HistoryView, type Deed } from "./history.js";
import { NowView } from "./now.js";
import { QueueView } from "./queue.js";
import { readable, rerank } from "./ranking.js";
import { TasteView } from "./taste.js";

const QUEUE = 40;
/** From this length down the queue is filled up again. */
const QUEUE_LOW = 24;
/** From this on, as streaming services count, a track that was left has been played. */
const HEARD_MS = 30_000;

/** The listening: what is on, what comes next, and what each thing the listener does changes. */
export class App {
  readonly #segue: Segue;
  readonly #catalogue: Catalogue;
  readonly #deck = new Deck();
  readonly #now: NowView;
  readonly #queueView: QueueView;
  readonly #history: HistoryView;
  readonly #taste: TasteView;
  /** Rows to come, best first. */
  #queue: number[] = [];
  /** Rows that were on, and the one that is. */
  readonly #past = new Set<number>();

  constructor(segue: Segue) {
    this.#segue = segue;
    this.#catalogue = new Catalogue(segue);
    this.#now = new NowView(this.#deck, {
      toggle: () => (this.#deck.playing ? this.#deck.pause() : this.#deck.play()),
      skip: () => this.#skip(),
      like: () => this.#like(),
      replay: () => this.#replay(),
    });
    this.#queueView = new QueueView(this.#catalogue, (row) => this.#choose(row));
    this.#history = new HistoryView(() => this.#forget());
    this.#taste = new TasteView(segue);
    this.#deck.onTick = () => this.#now.tick();
    this.#deck.onEnd = () => this.#finish();
  }

  /** Fills the queue and puts its first track on. */
  start(): void {
    this.#rank({ next: true });
  }

  /** Another version of the model is in force, in which rows may mean other tracks. */
  updated(): void {
    this.#catalogue.forget();
    this.#queueView.clear();
    this.#startOver();
  }

  #skip(): void {
    this.#observe("skip", "skipped");
    this.#rank({ next: true });
  }

  #finish(): void {
    this.#observe("play", "finished");
    this.#rank({ next: true });
  }

  #like(): void {
    if (!this.#now.like()) return;
    this.#observe("like", "liked");
    this.#rank({ next: false });
  }

  #replay(): void {
    this.#observe("replay", "replayed");
    this.#rank({ next: false });
    this.#deck.restart();
  }

  /** Plays a row of the queue; what was on counts by how much of it was heard. */
  #choose(row: number): void {
    if (this.#deck.position >= HEARD_MS) this.#observe("play", "played");
    this.#queue = this.#queue.filter((other) => other !== row);
    this.#putOn(row);
    this.#observe("click", "chosen");
    this.#deck.play();
    this.#rank({ next: false });
  }

  #forget(): void {
    this.#segue.reset();
    this.#history.clear();
    this.#startOver();
  }

  /** Makes a new queue; what is on stays on. */
  #startOver(): void {
    this.#queue = [];
    this.#past.clear();
    const { track } = this.#deck;
    if (track !== null && this.#catalogue.isStill(track)) this.#past.add(track.row);
    this.#rank({ next: false });
  }

  #observe(kind: "click" | "play" | "skip" | "like" | "replay", deed: Deed): void {
    const { track, position } = this.#deck;
    if (track === null || !this.#catalogue.isStill(track)) return;
    // What counts is the share that was heard of what was played, however long the track itself is.
    const heard = { played_ms: position, duration_ms: track.playsMs };
    this.#segue.observe({ kind, track: track.row, at: Date.now() - position, ...heard });
    this.#history.add(deed, track, position);
  }

  /** Ranks what is to come, and shows it; with `next`, the best of it is put on first. */
  #rank({ next }: { next: boolean }): void {
    const before = this.#queue;
    const { places, took } = rerank(this.#segue, this.#filledUp(), before);
    const shown = next ? places.slice(1) : places;
    this.#queue = shown.map(({ row }) => row);
    this.#queueView.show(shown);
    this.#taste.show(this.#history.length > 0);
    if (next) this.#goOnTo(places[0]?.row);

    const verb = before.length === 0 ? "Ranked" : "Re-ranked";
    byId("rank-time").textContent = `${verb} ${count(places.length, "track")} in ${readable(took)}`;
  }

  #filledUp(): number[] {
    if (this.#queue.length > QUEUE_LOW) return this.#queue;
    const wanted = QUEUE - this.#queue.length;
    const more = this.#catalogue.variety(wanted, [...this.#past, ...this.#queue]);
    // A small catalogue has been heard through: it begins again.
    if (more.length < wanted) this.#past.clear();
    return [...this.#queue, ...more];
  }

  #goOnTo(row: number | undefined): void {
    if (row === undefined) this.#deck.pause();
    else this.#putOn(row);
  }

  #putOn(row: number): void {
    const track = this.#catalogue.track(row);
    this.#past.add(row);
    this.#deck.load(track);
    this.#now.show(track);
  }
}
