import { test } from "node:test";
import { Campaign } from "./faults.mjs";

test("whatever goes wrong, a device has a whole model, and the one in force in the end", async (t) => {
  const campaign = await Campaign.start(t);
  for (let seed = 1; seed <= 300; seed++) await campaign.run(seed);
});
