import type { Track } from "./catalogue.js";
import { compose, type Piece } from "./music.js";
import { Sound } from "./sound.js";

const TICK_MS = 200;

/** Plays one track at a time, in real time. */
export class Deck {
  readonly sound = new Sound();
  /** Called as time passes, and when playing starts and stops. */
  onTick: () => void = () => {};
  /** Called when the track has been heard to its end. */
  onEnd: () => void = () => {};

  #track: Track | null = null;
  #piece: Piece | null = null;
  /** Milliseconds heard before the last start. */
  #heard = 0;
  #startedAt: number | null = null;
  #timer = 0;

  get track(): Track | null {
    return this.#track;
  }

  get playing(): boolean {
    return this.#startedAt !== null;
  }

  /** Milliseconds from the beginning of the track. */
  get position(): number {
    const running = this.#startedAt === null ? 0 : performance.now() - this.#startedAt;
    return Math.min(Math.round(this.#heard + running), this.#track?.playsMs ?? 0);
  }

  /** Puts `track` on, from its beginning; it plays at once where the last one was playing. */
  load(track: Track): void {
    const wasPlaying = this.playing;
    this.pause();
    this.#track = track;
    this.#piece = compose(track.row, track.cluster, track.playsMs);
    this.#heard = 0;
    if (wasPlaying) this.play();
    else this.onTick();
  }

  /** The first call must follow a gesture of the listener: browsers keep silent otherwise. */
  play(): void {
    if (this.playing || this.#piece === null) return;
    this.sound.play(this.#piece, this.#heard / 1000);
    this.#startedAt = performance.now();
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS);
    this.onTick();
  }

  pause(): void {
    if (!this.playing) return;
    this.#heard = this.position;
    this.#startedAt = null;
    window.clearInterval(this.#timer);
    this.sound.stop();
    this.onTick();
  }

  /** Plays the track from its beginning. */
  restart(): void {
    this.pause();
    this.#heard = 0;
    this.play();
  }

  #tick(): void {
    this.onTick();
    if (this.#track !== null && this.position >= this.#track.playsMs) this.onEnd();
  }
}
