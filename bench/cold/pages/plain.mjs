import { TopK, topOf } from "../../scan/contenders/topk.mjs";
import { candidates, places, ranked, table, taste } from "./page.mjs";

const { factors, rowOf } = await table();
const dim = taste.length;
const scores = candidates.map((id) => {
  const at = rowOf.get(id) * dim;
  let score = 0;
  for (let k = 0; k < dim; k++) score += factors[at + k] * taste[k];
  return score;
});
ranked(topOf(scores, new TopK(places)).map((at) => candidates[at]));
