import { between, pick, random, type Random } from "./random.js";

/**
 * A picture for a track, in the manner of a concert poster: the cluster gives its hue and its
 * figure, the row all else. The same track always has the same picture.
 */
export function poster(row: number, cluster: number): SVGSVGElement {
  const draw = random(row, cluster);
  const svg = shape("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "xMidYMid slice" });
  const inks = palette(hueOf(cluster), draw);
  const figure = FIGURES[cluster % FIGURES.length] as Figure;
  // Wider than its frame, so that a wide crop shows no edge.
  svg.append(shape("rect", { x: -60, y: -60, width: 220, height: 220, fill: inks.ground }));
  svg.append(...figure(draw, inks));
  return svg;
}

/** The hue of a cluster in degrees of OKLCH: golden angles, so that neighbours differ. */
export function hueOf(cluster: number): number {
  return Math.round((28 + cluster * 137.508) % 360);
}

interface Inks {
  ground: string;
  /** What the figure is drawn in. */
  first: string;
  second: string;
  /** For one small part. */
  spark: string;
}

type Figure = (draw: Random, inks: Inks) => SVGElement[];

const FIGURES: readonly Figure[] = [arcs, bars, dots, tiles, waves, discs, columns];

function palette(hue: number, draw: Random): Inks {
  const full = `oklch(0.63 0.18 ${hue})`;
  const deep = `oklch(0.27 0.07 ${hue})`;
  const pale = `oklch(0.94 0.035 ${hue})`;
  const far = `oklch(0.78 0.15 ${(hue + pick(draw, [55, 110, 180, 285])) % 360})`;
  return pick(draw, [
    { ground: full, first: pale, second: deep, spark: far },
    { ground: deep, first: full, second: pale, spark: far },
    { ground: pale, first: full, second: deep, spark: far },
  ]);
}

/** Rings about a point beside the middle, each open by its own angle, each twice the last. */
function arcs(draw: Random, inks: Inks): SVGElement[] {
  const x = pick(draw, [22, 34, 66, 78]);
  const y = pick(draw, [24, 50, 76]);
  const start = between(draw, 0, 15) * 22.5;
  const parts: SVGElement[] = [shape("circle", { cx: x, cy: y, r: 4, fill: inks.spark })];
  let inner = 8;
  for (let ring = 0; ring < 5; ring += 1) {
    const width = 2.2 * 1.62 ** ring;
    const from = start + between(draw, -4, 4) * 22.5;
    const sweep = between(draw, 5, 12) * 22.5;
    const ink = ring === 3 ? inks.second : inks.first;
    parts.push(line(arcPath(x, y, inner + width / 2, from, sweep), ink, width));
    inner += width * 1.45;
  }
  return parts;
}

/** Leaning bars, in widths that grow like a bar of music that gets louder. */
function bars(draw: Random, inks: Inks): SVGElement[] {
  const group = shape("g", { transform: `rotate(${pick(draw, [-60, -30, 30, 45, 60])} 50 50)` });
  const widths = [1.4, 2.2, 3.6, 5.8, 9.4, 15.2];
  if (draw() < 0.5) widths.reverse();
  const odd = between(draw, 1, 4);
  let x = 12;
  widths.forEach((width, index) => {
    const fill = index === odd ? inks.spark : index % 3 === 2 ? inks.second : inks.first;
    const top = between(draw, -5, 40);
    const height = between(draw, 40, 110);
    group.append(shape("rect", { x, y: top, width, height, fill }));
    x += width + 7.6;
  });
  return [group];
}

/** A screen of dots that swell where two waves meet. */
function dots(draw: Random, inks: Inks): SVGElement[] {
  const [a, b] = [0.35 + draw() * 0.6, 0.35 + draw() * 0.6];
  const [p, q] = [draw() * 6, draw() * 6];
  const sparkAt = between(draw, 10, 50);
  const parts: SVGElement[] = [];
  for (let cell = -16; cell < 80; cell += 1) {
    const [column, rowOf] = [((cell % 8) + 8) % 8, Math.floor(cell / 8)];
    const swell = (Math.sin(a * column + p) + Math.sin(b * rowOf + q) + 2) / 4;
    const fill = cell === sparkAt ? inks.spark : swell > 0.72 ? inks.second : inks.first;
    const r = 0.9 + 5.4 * swell;
    parts.push(shape("circle", { cx: 6.25 + column * 12.5, cy: 6.25 + rowOf * 12.5, r, fill }));
  }
  return parts;
}

/** Quarter discs on a grid of four by four. */
function tiles(draw: Random, inks: Inks): SVGElement[] {
  const parts: SVGElement[] = [];
  for (let cell = 0; cell < 16; cell += 1) {
    const [x, y] = [(cell % 4) * 25, Math.floor(cell / 4) * 25];
    const fill = pick(draw, [inks.first, inks.first, inks.second, inks.second, inks.spark, ""]);
    if (fill === "") continue;
    const turn = between(draw, 0, 3) * 90;
    const transform = `rotate(${turn} ${x + 12.5} ${y + 12.5})`;
    const d = `M${x} ${y}h25a25 25 0 0 1 -25 25z`;
    // The hair of a stroke closes the seams between neighbours.
    parts.push(shape("path", { d, fill, stroke: fill, "stroke-width": 0.2, transform }));
  }
  return parts;
}

/** Strings that swing, thin to heavy. */
function waves(draw: Random, inks: Inks): SVGElement[] {
  const length = pick(draw, [33.3, 50, 66.6]);
  const swing = between(draw, 5, 11);
  const shift = draw() * length;
  const odd = between(draw, 2, 6);
  const parts: SVGElement[] = [];
  for (let string = 0; string < 8; string += 1) {
    const y = 9 + string * 11.8;
    let path = `M${-length * 2 + shift} ${y}q${length / 4} ${-swing} ${length / 2} 0`;
    for (let half = 0; half < 12; half += 1) path += `t${length / 2} 0`;
    const ink = string === odd ? inks.spark : string % 4 === 3 ? inks.second : inks.first;
    parts.push(line(path, ink, 0.8 + string * 0.95));
  }
  return parts;
}

/** Three discs, each seen through the next. */
function discs(draw: Random, inks: Inks): SVGElement[] {
  const turn = draw() * 360;
  return [inks.first, inks.second, inks.spark].map((fill, index) => {
    const angle = ((turn + index * 120) * Math.PI) / 180;
    const far = between(draw, 15, 24);
    const r = [31, 22, 13][index] as number;
    const [cx, cy] = [50 + far * Math.cos(angle), 50 + far * Math.sin(angle)];
    return shape("circle", { cx, cy, r, fill, opacity: 0.9 });
  });
}

/** Columns that rise and fall as on the display of an amplifier. */
function columns(draw: Random, inks: Inks): SVGElement[] {
  const many = pick(draw, [5, 6, 7]);
  const pitch = 100 / many;
  const odd = between(draw, 0, many - 1);
  return Array.from({ length: many }, (_, column) => {
    const x = pitch * (column + 0.5);
    const top = between(draw, 26, 82);
    const r = pitch * 0.38;
    const fill = column === odd ? inks.second : inks.first;
    const bar = shape("rect", { x: x - r, y: top, width: 2 * r, height: 150, rx: r, fill });
    const cap = shape("circle", { cx: x, cy: top - 2.5 * r, r, fill: inks.spark });
    return column === odd ? [bar, cap] : [bar];
  }).flat();
}

function arcPath(x: number, y: number, r: number, from: number, sweep: number): string {
  const at = (degrees: number) => {
    const angle = (degrees * Math.PI) / 180;
    return `${(x + r * Math.cos(angle)).toFixed(2)} ${(y + r * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${at(from)}A${r} ${r} 0 ${sweep > 180 ? 1 : 0} 1 ${at(from + sweep)}`;
}

function line(d: string, stroke: string, width: number): SVGElement {
  return shape("path", { d, fill: "none", stroke, "stroke-width": width });
}

function shape<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
