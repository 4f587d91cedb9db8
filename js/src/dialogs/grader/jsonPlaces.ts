// Where a path of the kernel, such as input[1].content, stands in a grader's JSON text.
import type { GraderProblem } from "../../contract.gen";
import type { CodeProblem } from "../../ui/CodeEditor";
import { wordsOf } from "./draft";

export function placedInJson(
  text: string,
  problems: readonly GraderProblem[],
): readonly CodeProblem[] {
  const places = placesOf(text);
  return problems.map((problem) => {
    const words = problem.where ? `${problem.where}: ${wordsOf(problem)}` : wordsOf(problem);
    if (problem.where === "") {
      return { message: words, line: problem.line, column: problem.column };
    }
    const at = nearest(places, problem.where);
    const before = text.slice(0, at);
    return {
      message: words,
      line: before.split("\n").length,
      column: at - before.lastIndexOf("\n"),
    };
  });
}

/** The value at a path, or as near to it as there is one. */
function nearest(places: ReadonlyMap<string, number>, path: string): number {
  for (let rest = path; rest !== ""; rest = rest.replace(/(^|\.)[^.[\]]*$|\[\d*\]$|.$/, "")) {
    const found = places.get(rest);
    if (found !== undefined) return found;
  }
  return places.get("") ?? 0;
}

interface Level {
  readonly path: string;
  readonly isArray: boolean;
  index: number;
  /** Of the value that comes next in an object. */
  key: string | null;
}

const TOKEN = /"(?:[^"\\\n]|\\.)*"?|[{}[\],:]|[^\s"{}[\],:]+/g;

/** Where each value begins, by its path; of a text that is no JSON, what can be told. */
function placesOf(text: string): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  const levels: Level[] = [];
  for (const { 0: token, index: from } of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === "}" || token === "]") levels.pop();
    else if (token === ",") {
      if (level) Object.assign(level, { index: level.index + 1, key: null });
    } else if (level && !level.isArray && level.key === null) level.key = keyOf(token);
    else if (token !== ":") {
      const path = pathIn(level);
      if (!places.has(path)) places.set(path, from);
      if (token === "{" || token === "[") {
        levels.push({ path, isArray: token === "[", index: 0, key: null });
      }
    }
  }
  return places;
}

function pathIn(level: Level | undefined): string {
  if (!level) return "";
  if (level.isArray) return `${level.path}[${level.index}]`;
  return level.path ? `${level.path}.${level.key}` : String(level.key);
}

function keyOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
