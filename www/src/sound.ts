import type { Note, Piece, Timbre } from "./music.js";

/** Seconds that notes are scheduled ahead: more than the second between timers of a hidden tab. */
const AHEAD = 1.6;
const TIMER_MS = 250;
const FADE = 0.35;

const BASS: Timbre = {
  wave: "triangle",
  partial: 0.5,
  partialGain: 0.4,
  attack: 0.012,
  release: 0.18,
  brightness: 5,
};

/**
 * Plays a {@link Piece} through Web Audio. The audio context is made upon the first
 * {@link Sound.play}, which must follow a gesture of the listener for anything to be heard.
 */
export class Sound {
  #desk: Desk | null = null;
  #timer = 0;
  #bus: GainNode | null = null;
  #volume = 0.6;
  #muted = false;

  /** Plays `piece` from `from` seconds on; what was playing fades out under it. */
  play(piece: Piece, from: number): void {
    this.stop();
    const desk = (this.#desk ??= openDesk());
    this.#applyVolume();
    void desk.context.resume();
    const bus = desk.context.createGain();
    bus.connect(desk.input);
    bus.gain.setValueAtTime(0, desk.context.currentTime);
    bus.gain.linearRampToValueAtTime(1, desk.context.currentTime + FADE);
    this.#bus = bus;

    const origin = desk.context.currentTime + 0.06 - from;
    let step = Math.ceil(from / piece.step);
    const schedule = () => {
      const until = desk.context.currentTime + AHEAD;
      for (; step < piece.steps && origin + step * piece.step < until; step += 1) {
        const at = origin + step * piece.step;
        // A tab that slept has missed its steps; they are not played all at once.
        if (at < desk.context.currentTime) continue;
        for (const note of piece.notes(step)) strike(desk, bus, piece, note, at + note.delay);
      }
    };
    schedule();
    this.#timer = window.setInterval(schedule, TIMER_MS);
  }

  /** Fades out what is playing. */
  stop(): void {
    window.clearInterval(this.#timer);
    const bus = this.#bus;
    if (bus === null || this.#desk === null) return;
    this.#bus = null;
    const now = this.#desk.context.currentTime;
    bus.gain.cancelScheduledValues(now);
    bus.gain.setTargetAtTime(0, now, FADE / 3);
    window.setTimeout(() => bus.disconnect(), (FADE + AHEAD) * 1000);
  }

  /** 0 to 1. */
  set volume(volume: number) {
    this.#volume = volume;
    this.#applyVolume();
  }

  set muted(muted: boolean) {
    this.#muted = muted;
    this.#applyVolume();
  }

  #applyVolume(): void {
    if (this.#desk === null) return;
    // Squared: loudness as it is heard, not as it is measured.
    const gain = this.#muted ? 0 : 0.7 * this.#volume ** 2;
    this.#desk.volume.gain.setTargetAtTime(gain, this.#desk.context.currentTime, 0.03);
  }
}

/** What all tracks share: room, limiter, volume. */
interface Desk {
  context: AudioContext;
  input: AudioNode;
  volume: GainNode;
  noise: AudioBuffer;
}

function openDesk(): Desk {
  const context = new AudioContext({ latencyHint: "playback" });
  const input = context.createGain();
  const limiter = context.createDynamicsCompressor();
  const volume = context.createGain();
  const room = context.createConvolver();
  const wet = context.createGain();
  room.buffer = roomOf(context);
  wet.gain.value = 0.22;
  volume.gain.value = 0;
  input.connect(limiter);
  input.connect(room).connect(wet).connect(limiter);
  limiter.connect(volume).connect(context.destination);
  return { context, input, volume, noise: noiseOf(context, 0.3, () => 1) };
}

/** The echo of a small hall: noise that dies away. */
function roomOf(context: AudioContext): AudioBuffer {
  return noiseOf(context, 2.2, (part) => (1 - part) ** 3);
}

function noiseOf(
  context: AudioContext,
  seconds: number,
  envelope: (part: number) => number,
): AudioBuffer {
  const length = Math.floor(context.sampleRate * seconds);
  const buffer = context.createBuffer(2, length, context.sampleRate);
  for (const channel of [0, 1]) {
    const data = buffer.getChannelData(channel);
    for (let i = 0; i < length; i += 1) data[i] = (Math.random() * 2 - 1) * envelope(i / length);
  }
  return buffer;
}

function strike(desk: Desk, bus: AudioNode, piece: Piece, note: Note, at: number): void {
  const panner = desk.context.createStereoPanner();
  panner.pan.value = note.pan;
  panner.connect(bus);
  switch (note.voice) {
    case "kick":
      return kick(desk.context, panner, note, at);
    case "hat":
      return hat(desk, panner, note, at);
    case "bass":
      return tone(desk.context, panner, BASS, note, at);
    case "chord":
      return tone(desk.context, panner, piece.chord, note, at);
    case "lead":
      return tone(desk.context, panner, piece.lead, note, at);
  }
}

function tone(context: AudioContext, out: AudioNode, timbre: Timbre, note: Note, at: number): void {
  const end = at + Math.max(note.length, timbre.attack) + timbre.release;
  const envelope = context.createGain();
  const filter = context.createBiquadFilter();
  filter.type = "lowpass";
  filter.frequency.value = Math.min(note.pitch * timbre.brightness, 9000);
  filter.connect(envelope).connect(out);
  envelope.gain.setValueAtTime(0, at);
  envelope.gain.linearRampToValueAtTime(note.gain, at + timbre.attack);
  envelope.gain.setTargetAtTime(note.gain * 0.55, at + timbre.attack, 0.25);
  envelope.gain.setTargetAtTime(0, at + Math.max(note.length, timbre.attack), timbre.release / 4);
  for (const [ratio, gain] of [
    [1, 1],
    [timbre.partial, timbre.partialGain],
  ] as const) {
    const oscillator = context.createOscillator();
    const level = context.createGain();
    oscillator.type = timbre.wave;
    oscillator.frequency.value = note.pitch * ratio;
    level.gain.value = gain;
    oscillator.connect(level).connect(filter);
    oscillator.start(at);
    oscillator.stop(end);
  }
}

function kick(context: AudioContext, out: AudioNode, note: Note, at: number): void {
  const oscillator = context.createOscillator();
  const envelope = context.createGain();
  oscillator.frequency.setValueAtTime(110, at);
  oscillator.frequency.exponentialRampToValueAtTime(44, at + 0.09);
  envelope.gain.setValueAtTime(note.gain, at);
  envelope.gain.exponentialRampToValueAtTime(0.001, at + note.length);
  oscillator.connect(envelope).connect(out);
  oscillator.start(at);
  oscillator.stop(at + note.length);
}

function hat(desk: Desk, out: AudioNode, note: Note, at: number): void {
  const source = desk.context.createBufferSource();
  const filter = desk.context.createBiquadFilter();
  const envelope = desk.context.createGain();
  source.buffer = desk.noise;
  filter.type = "highpass";
  filter.frequency.value = 7000;
  envelope.gain.setValueAtTime(note.gain, at);
  envelope.gain.exponentialRampToValueAtTime(0.0005, at + note.length);
  source.connect(filter).connect(envelope).connect(out);
  source.start(at);
  source.stop(at + note.length);
}
