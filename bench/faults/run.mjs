// node bench/faults/run.mjs RUNS [SEED]: a device whose registry, store, clock and tabs fail in every way that there is,
// RUNS times, each drawn from a seed of its own. In every run it must have a whole model all the time, and the one in force
// once nothing fails any more; a run that does not ends this with its seed.
import { Campaign } from "../../pkg/test/faults.mjs";

const [runs, first = 1] = process.argv.slice(2).map(Number);
const over = [];
const campaign = await Campaign.start({ after: (action) => over.push(action) });
const start = performance.now();
for (let seed = first; seed < first + runs; seed++) {
  try {
    await campaign.run(seed);
  } catch (error) {
    console.error(`seed ${seed}: ${error.message}`);
    process.exit(1);
  }
}
const counts = Object.entries(campaign.counts).sort(([a], [b]) => (a < b ? -1 : 1));
for (const [name, count] of counts) console.log(`${String(count).padStart(7)}  ${name}`);
const all = counts.reduce((sum, [, count]) => sum + count, 0);
console.log(`${all} faults in ${runs} runs, seeds ${first} to ${first + runs - 1}, in ${((performance.now() - start) / 1000).toFixed(0)} s: a working model after each`);
for (const action of over) action();
