// Reads a JSON array of LogQL expressions and writes, for each, null or where its grammar fails.
// The packages of the grammar are in the directory given as the only argument.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { parser } = createRequire(`${process.argv[2]}/`)("@grafana/lezer-logql");

function failure(expression) {
  let at = null;
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError && at === null) at = node.from;
    },
  });
  if (expression.trim() === "") return "empty";
  return at === null ? null : `at ${at}: ${expression.slice(at, at + 40)}`;
}

const expressions = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(expressions.map(failure)));
