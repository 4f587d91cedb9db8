// The formula of a combination, as long as it is a sum of weights.

const TERM =
  /^\s*(?:(\d+(?:\.\d+)?)\s*\*\s*([A-Za-z_]\w*)|([A-Za-z_]\w*)(?:\s*\*\s*(\d+(?:\.\d+)?))?)\s*$/;

/** The weight of each name; nothing where the formula is more than a sum of weights. */
export function weightsOf(formula: string): ReadonlyMap<string, number> | null {
  const found = new Map<string, number>();
  for (const term of formula.split("+")) {
    const match = TERM.exec(term);
    const name = match?.[2] ?? match?.[3];
    if (!match || name === undefined || found.has(name)) return null;
    found.set(name, Number(match[1] ?? match[4] ?? 1));
  }
  return found;
}

export function formulaOf(weights: ReadonlyMap<string, number>): string {
  return [...weights].map(([name, weight]) => `${weight} * ${name}`).join(" + ");
}

/** Another name in a formula, and in nothing that only contains it. */
export function renamed(formula: string, before: string, after: string): string {
  return formula.replace(/[A-Za-z_]\w*/g, (name) => (name === before ? after : name));
}
