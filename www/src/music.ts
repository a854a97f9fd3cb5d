import { between, pick, random, type Random } from "./random.js";

/** What plays a note. */
export type Voice = "bass" | "chord" | "lead" | "kick" | "hat";

/** One note; times in seconds. */
export interface Note {
  /** From the beginning of its step. */
  delay: number;
  length: number;
  /** Hz; 0 for drums. */
  pitch: number;
  /** 0 to 1. */
  gain: number;
  voice: Voice;
  /** −1 left to 1 right. */
  pan: number;
}

/** How a pitched voice sounds. */
export interface Timbre {
  wave: OscillatorType;
  /** A second oscillator: its ratio to the pitch, and how loud it is. */
  partial: number;
  partialGain: number;
  /** Seconds. */
  attack: number;
  release: number;
  /** Low-pass, as a multiple of the pitch. */
  brightness: number;
}

/** A piece of music that is worked out a step, a sixteenth of a bar, at a time. */
export interface Piece {
  /** Seconds. */
  step: number;
  steps: number;
  lead: Timbre;
  chord: Timbre;
  notes(step: number): Note[];
}

/**
 * Composes the music of a track: tempo, scale, accompaniment and timbre come from its cluster,
 * key, chords and tune from its row, the form from its length. Any step can be asked for alone.
 */
export function compose(row: number, cluster: number, durationMs: number): Piece {
  const style = styleOf(cluster);
  const tune = tuneOf(row, style);
  const step = 60 / style.tempo / 4;
  const steps = Math.floor(durationMs / 1000 / step);
  const bars = Math.ceil(steps / 16);
  const notes = (at: number): Note[] => {
    const bar = Math.floor(at / 16);
    const part = Math.floor(bar / 8) % 4;
    const bare = bar === 0 || bar >= bars - 2;
    const sung = !bare && (part !== 0 || bar % 8 >= 2);
    const place: Place = { bar, at: at % 16, chord: tune.chords[bar % 4] as number };
    const made = accompany(style, tune, place);
    if (!bare && part !== 2) made.push(...drum(style, place));
    if (sung) made.push(...sing(style, tune, place, part));
    const late = at % 2 === 1 ? style.swing * step : 0;
    return made.map((note) => ({ ...note, delay: note.delay + late }));
  };
  return { step, steps, lead: style.lead, chord: style.chord, notes };
}

interface Place {
  bar: number;
  /** Step in the bar. */
  at: number;
  /** Degree of the scale that the chord stands on. */
  chord: number;
}

interface Style {
  /** Quarter notes a minute. */
  tempo: number;
  /** Seven semitone offsets. */
  scale: readonly number[];
  /** Degrees of the scale that a tune is made of. */
  sung: readonly number[];
  chords: readonly (readonly number[])[];
  accompaniment: "held" | "offbeat" | "broken" | "rocking";
  /** 0 none, 1 light, 2 with a beat. */
  drums: number;
  /** Part of a step that every second one comes late. */
  swing: number;
  /** Chance that a tune has a note where it might. */
  busy: number;
  lead: Timbre;
  chord: Timbre;
}

interface Tune {
  /** MIDI number of the key note. */
  key: number;
  chords: readonly number[];
  /** Two bars of eighths: an index into `sung`, or null for a rest. */
  motif: readonly (number | null)[];
  answer: readonly (number | null)[];
}

const MAJOR_CHORDS = [
  [0, 4, 5, 3],
  [0, 5, 3, 4],
  [3, 0, 4, 5],
  [0, 2, 3, 3],
  [0, 3, 1, 4],
];
const MINOR_CHORDS = [
  [0, 5, 2, 6],
  [0, 3, 6, 2],
  [0, 6, 5, 6],
  [0, 3, 0, 6],
  [5, 6, 0, 0],
];
const MODES = [
  { scale: [0, 2, 4, 5, 7, 9, 11], sung: [0, 1, 2, 4, 5], chords: MAJOR_CHORDS },
  { scale: [0, 2, 4, 6, 7, 9, 11], sung: [0, 1, 2, 4, 6], chords: MAJOR_CHORDS },
  { scale: [0, 2, 4, 5, 7, 9, 10], sung: [0, 1, 2, 4, 5], chords: MAJOR_CHORDS },
  { scale: [0, 2, 3, 5, 7, 9, 10], sung: [0, 2, 3, 4, 6], chords: MINOR_CHORDS },
  { scale: [0, 2, 3, 5, 7, 8, 10], sung: [0, 2, 3, 4, 6], chords: MINOR_CHORDS },
] as const;

const LEADS: readonly Timbre[] = [
  { wave: "sine", partial: 4, partialGain: 0.16, attack: 0.005, release: 0.9, brightness: 9 },
  { wave: "triangle", partial: 2, partialGain: 0.25, attack: 0.02, release: 0.35, brightness: 6 },
  { wave: "sawtooth", partial: 0.5, partialGain: 0.3, attack: 0.04, release: 0.3, brightness: 3.2 },
  {
    wave: "square",
    partial: 1.003,
    partialGain: 0.5,
    attack: 0.01,
    release: 0.25,
    brightness: 2.8,
  },
  { wave: "sine", partial: 3.01, partialGain: 0.3, attack: 0.003, release: 1.3, brightness: 12 },
];

const CHORDS: readonly Timbre[] = [
  { wave: "triangle", partial: 2, partialGain: 0.2, attack: 0.01, release: 0.7, brightness: 5 },
  {
    wave: "sawtooth",
    partial: 1.006,
    partialGain: 0.8,
    attack: 0.25,
    release: 0.9,
    brightness: 2.2,
  },
  { wave: "sine", partial: 2, partialGain: 0.4, attack: 0.02, release: 0.4, brightness: 8 },
  { wave: "square", partial: 0.5, partialGain: 0.4, attack: 0.015, release: 0.2, brightness: 2.4 },
];

function styleOf(cluster: number): Style {
  const draw = random(cluster, 0x57e1);
  return {
    ...pick(draw, MODES),
    tempo: between(draw, 66, 122),
    accompaniment: pick(draw, ["held", "offbeat", "broken", "rocking"] as const),
    drums: between(draw, 0, 2),
    swing: pick(draw, [0, 0, 0.2, 0.33]),
    busy: 0.35 + 0.4 * draw(),
    lead: pick(draw, LEADS),
    chord: pick(draw, CHORDS),
  };
}

function tuneOf(row: number, style: Style): Tune {
  const draw = random(row, 0x70e5);
  const chords = pick(draw, style.chords);
  const key = between(draw, 45, 56);
  const motif = walk(draw, style.busy);
  // The answer begins as the motif does and ends elsewhere.
  return { key, chords, motif, answer: [...motif.slice(0, 9), ...walk(draw, style.busy).slice(9)] };
}

/** Sixteen eighths of a tune that moves by small steps and rests now and then. */
function walk(draw: Random, busy: number): (number | null)[] {
  let here = between(draw, 3, 7);
  return Array.from({ length: 16 }, (_, eighth) => {
    here = Math.max(0, Math.min(8, here + between(draw, -2, 2)));
    return draw() < (eighth % 4 === 0 ? busy + 0.3 : busy) ? here : null;
  });
}

function accompany(style: Style, tune: Tune, { at, chord }: Place): Note[] {
  const step = 15 / style.tempo;
  const tones = [0, 2, 4].map((third) => degree(style, tune.key, chord + third));
  const sound = (midi: number, steps: number, gain: number, pan: number): Note =>
    note("chord", midi, steps * step, gain, pan);
  const made: Note[] = [];
  if (at === 0 || (at === 10 && style.drums > 0)) {
    made.push(note("bass", degree(style, tune.key - 12, chord), (at === 0 ? 9 : 5) * step, 0.5));
  }
  switch (style.accompaniment) {
    case "held":
      if (at === 0) tones.forEach((midi, i) => made.push(sound(midi, 15, 0.17, (i - 1) * 0.5)));
      break;
    case "offbeat":
      if (at % 4 === 2)
        tones.forEach((midi, i) => made.push(sound(midi, 1.5, 0.16, (i - 1) * 0.4)));
      break;
    case "broken":
      if (at % 2 === 0) {
        const order = [0, 1, 2, 1, 2, 0, 1, 2][at / 2] as number;
        made.push(sound((tones[order] as number) + (at > 7 ? 12 : 0), 3, 0.2, at / 8 - 1));
      }
      break;
    case "rocking":
      if (at % 8 === 0 || at % 8 === 3 || at % 8 === 6) {
        tones.forEach((midi, i) => made.push(sound(midi, 2.4, 0.14, (i - 1) * 0.6)));
      }
      break;
  }
  return made;
}

function sing(style: Style, tune: Tune, { bar, at }: Place, part: number): Note[] {
  if (at % 2 === 1) return [];
  const line = bar % 4 < 2 ? tune.motif : tune.answer;
  const eighth = (bar % 2) * 8 + at / 2;
  const sung = line[eighth];
  if (sung === null || sung === undefined) return [];
  const octave = Math.floor(sung / style.sung.length);
  const tone = style.sung[sung % style.sung.length] as number;
  const midi = degree(style, tune.key + 12, tone) + 12 * octave - (part === 3 ? 12 : 0);
  const held = line[eighth + 1] === null ? 3.4 : 1.8;
  return [note("lead", midi, (held * 15) / style.tempo, 0.2, Math.sin(eighth) * 0.3)];
}

function drum(style: Style, { at }: Place): Note[] {
  const made: Note[] = [];
  if (style.drums === 2 && at % 4 === 0) made.push(note("kick", 0, 0.2, 0.42));
  if (style.drums > 0 && at % 4 === 2) made.push(note("hat", 0, 0.07, 0.07, 0.25));
  if (style.drums > 0 && at % 2 === 1) made.push(note("hat", 0, 0.03, 0.025, -0.25));
  return made;
}

function degree(style: Style, key: number, degreeOfScale: number): number {
  const octave = Math.floor(degreeOfScale / 7);
  return key + (style.scale[degreeOfScale - octave * 7] as number) + 12 * octave;
}

/** `midi` 0 is a drum. */
function note(voice: Voice, midi: number, length: number, gain: number, pan = 0): Note {
  return {
    voice,
    pitch: midi === 0 ? 0 : 440 * 2 ** ((midi - 69) / 12),
    length,
    gain,
    pan,
    delay: 0,
  };
}
