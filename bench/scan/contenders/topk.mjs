// The k best of a list of numbers, in plain JavaScript: what a page would write for itself.

/**
 * A binary heap whose root is the least of the best `k` so far. Of equal scores the one that came
 * first stays.
 */
export class TopK {
  constructor(k) {
    this.k = k;
    this.scores = new Float64Array(k);
    this.rows = new Uint32Array(k);
    this.clear();
  }

  clear() {
    this.length = 0;
    /** What a score must exceed to be kept. */
    this.threshold = -Infinity;
  }

  push(score, row) {
    const { scores, rows } = this;
    if (this.length < this.k) {
      let at = this.length++;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (scores[parent] <= score) break;
        scores[at] = scores[parent];
        rows[at] = rows[parent];
        at = parent;
      }
      scores[at] = score;
      rows[at] = row;
      if (this.length === this.k) this.threshold = scores[0];
      return;
    }
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.k) break;
      if (child + 1 < this.k && scores[child + 1] < scores[child]) child++;
      if (scores[child] >= score) break;
      scores[at] = scores[child];
      rows[at] = rows[child];
      at = child;
    }
    scores[at] = score;
    rows[at] = row;
    this.threshold = scores[0];
  }

  /** The rows, best first. */
  sorted() {
    const order = Array.from({ length: this.length }, (_, index) => index);
    order.sort((a, b) => this.scores[b] - this.scores[a] || this.rows[a] - this.rows[b]);
    return order.map((index) => this.rows[index]);
  }
}

/** The rows of the `k` highest of `scores`, best first. */
export function topOf(scores, best) {
  best.clear();
  for (let row = 0; row < scores.length; row++) {
    if (scores[row] > best.threshold) best.push(scores[row], row);
  }
  return best.sorted();
}
