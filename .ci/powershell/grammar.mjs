// The grammar of PowerShell, and what stands wrong in a script by it.
import { createRequire } from "node:module";
import v8 from "node:v8";
import { Language, Parser } from "web-tree-sitter";

// The grammar is one huge function; optimising it takes a minute, for which the
// process would stay after its work is done.
v8.setFlagsFromString("--liftoff-only");

const require = createRequire(import.meta.url);
await Parser.init();
const language = await Language.load(require.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm"));

export function parse(text) {
  const parser = new Parser();
  parser.setLanguage(language);
  return parser.parse(text).rootNode;
}

// mistakes lists the places that are not PowerShell, each with its line.
export function mistakes(text) {
  const found = [];
  const walk = (n) => {
    if (n.isError || n.isMissing) {
      const what = n.isMissing ? "missing " + n.type : JSON.stringify(n.text.slice(0, 60));
      found.push(`line ${n.startPosition.row + 1}: ${what}`);
    } else if (n.hasError) {
      n.children.forEach(walk);
    }
  };
  walk(parse(text));
  return found;
}
