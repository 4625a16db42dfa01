// node check.mjs FILE…: exits 1 if a file is not PowerShell, and says where.
import { readFileSync } from "node:fs";
import { mistakes } from "./grammar.mjs";

let bad = 0;
for (const file of process.argv.slice(2)) {
  for (const m of mistakes(readFileSync(file, "utf8"))) {
    console.error(`${file}: ${m}`);
    bad = 1;
  }
}
process.exit(bad);
