// A session gives the same bytes of ranking through the package as natively.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { GOLDEN, played, sessions } from "./golden.mjs";
import { listener } from "./support.mjs";

const fixture = (name) => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

for (const name of GOLDEN) {
  test(`golden sessions of the model "${name}" have the answers that native code gives`, async (t) => {
    const each = sessions(fixture(`${name}.txt`).toString());
    assert(each.length >= 10);
    for (const lines of each) {
      const segue = await listener(t, fixture(`${name}.segue`));
      assert.deepEqual(played(segue, lines), lines);
    }
  });
}
