import { Segue } from "segue";
import { candidates, events, places, ranked } from "./page.mjs";

const segue = await Segue.open({ registry: "/v1/" });
for (const event of events) segue.observe(event);
ranked(segue.rank(candidates, { limit: places }).map(({ track }) => track));
