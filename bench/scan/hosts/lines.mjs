import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A process that answers each line with one of JSON, which takes its turns as `name`. */
export async function startLines(command, argumentsOf, { env = process.env } = {}) {
  return {
    async host() {
      let child, lines;
      const ask = async (...words) => {
        child.stdin.write(`${words.join(" ")}\n`);
        const { value, done } = await lines.next();
        if (done) throw new Error(`${command} ended`);
        return JSON.parse(value);
      };
      return {
        async open({ id }, catalogue) {
          child = spawn(command, argumentsOf(id, catalogue), {
            env,
            stdio: ["pipe", "pipe", "inherit"],
          });
          await once(child, "spawn");
          lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
          return ask("open");
        },
        answers: () => ask("answers"),
        turn: (ms, who) => ask("turn", ms, ...who),
        close: () => child?.kill(),
      };
    },
    stop() {},
  };
}
