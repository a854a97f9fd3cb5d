export const sum = (values) => values.reduce((total, value) => total + value, 0);
export const mean = (values) => sum(values) / values.length;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The least of `sorted` values that a share `q` of them, above 0, does not exceed. */
export const quantile = (sorted, q) => sorted[Math.ceil(q * sorted.length) - 1];

/** `values` from index `by` on, and then those before it. */
export const rotated = (values, by) => {
  const from = by % values.length;
  return [...values.slice(from), ...values.slice(0, from)];
};

/** A number with so many significant digits, without an exponent. */
export function digits(value, significant = 3) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const places = significant - 1 - Math.floor(Math.log10(Math.abs(value)));
  const round = Number(value.toPrecision(significant));
  return round.toLocaleString("en", {
    minimumFractionDigits: Math.max(places, 0),
    maximumFractionDigits: Math.max(places, 0),
  });
}
