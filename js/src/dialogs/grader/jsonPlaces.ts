// Where a path of the kernel, such as input[1].content, stands in a grader's JSON text.
import { jsonLanguage } from "@codemirror/lang-json";
import type { GraderProblem } from "../../contract.gen";
import type { CodeProblem } from "../../ui/CodeEditor";
import { wordsOf } from "./draft";

type Node = ReturnType<typeof jsonLanguage.parser.parse>["topNode"];

export function placedInJson(
  text: string,
  problems: readonly GraderProblem[],
): readonly CodeProblem[] {
  const root = jsonLanguage.parser.parse(text).topNode.firstChild;
  return problems.map((problem) => {
    const words = problem.where ? `${problem.where}: ${wordsOf(problem)}` : wordsOf(problem);
    if (problem.where === "") {
      return { message: words, line: problem.line, column: problem.column };
    }
    const node = root && find(root, problem.where, text);
    if (!node) return { message: words };
    const before = text.slice(0, node.from);
    return {
      message: words,
      line: before.split("\n").length,
      column: node.from - before.lastIndexOf("\n"),
    };
  });
}

/** The value at a path, or as near to it as there is one. Keys may hold dots: the longest counts. */
function find(node: Node, path: string, text: string): Node {
  if (path === "") return node;
  const index = /^\[(\d+)\]\.?/.exec(path);
  if (node.name === "Array" && index) {
    const item = items(node)[Number(index[1])];
    return item ? find(item, path.slice(index[0].length), text) : node;
  }
  const inside = node.getChildren("Property").flatMap((property) => {
    const name = property.firstChild;
    const value = property.lastChild;
    if (!name || !value || name === value) return [];
    const key = keyOf(text.slice(name.from, name.to));
    const rest = path.slice(key.length);
    return path.startsWith(key) && /^($|\.|\[)/.test(rest) ? [{ key, value, rest }] : [];
  });
  const best = inside.sort((a, b) => b.key.length - a.key.length)[0];
  return best ? find(best.value, best.rest.replace(/^\./, ""), text) : node;
}

function items(node: Node): readonly Node[] {
  const found: Node[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (!["[", "]", ","].includes(child.name) && !child.type.isError) found.push(child);
  }
  return found;
}

function keyOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
