import { fork } from "node:child_process";

/** Node, with a process for each contender. */
export async function startNode() {
  return {
    version: `Node ${process.versions.node}, V8 ${process.versions.v8}`,
    async host() {
      const child = fork(new URL("node-child.mjs", import.meta.url), { serialization: "advanced" });
      const ask = (...message) =>
        new Promise((resolve, reject) => {
          const ended = (code) => reject(new Error(`the process ended with ${code}`));
          child.once("exit", ended);
          child.once("message", ({ result, error }) => {
            child.off("exit", ended);
            if (error === undefined) resolve(result);
            else reject(new Error(error));
          });
          child.send(message);
        });
      return {
        open: (entry, catalogue) => ask("open", entry, catalogue),
        answers: () => ask("answers"),
        turn: (ms, who) => ask("turn", ms, who),
        close: () => child.kill(),
      };
    },
    stop() {},
  };
}
