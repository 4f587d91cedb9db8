// Which figures of a card stand in its table, and what each is held against.
import type { IntervalRow } from "../../charts";
import type { TrustCard } from "../../contract.gen";

const VERDICTS = ["not passed", "passed"] as const;
const CHANCE = { at: 0, words: "0 is chance" } as const;

export function figuresOf(card: TrustCard): readonly IntervalRow[] {
  const { passed } = card;
  const usual = VERDICTS[passed.constant_label] ?? "";
  const [failing, passing] = passed.recall;
  const rows: (IntervalRow | null | undefined)[] = [
    {
      name: "Agreement",
      value: passed.agreement,
      isShare: true,
      mark: {
        at: passed.constant_baseline.estimate,
        words: `always saying “${usual}” gives ${Math.round(100 * passed.constant_baseline.estimate)}%`,
      },
    },
    { name: "Cohen’s kappa", value: passed.kappa, mark: CHANCE },
    card.weighted_kappa && {
      name: "Weighted kappa, 1 to 5",
      value: card.weighted_kappa,
      mark: CHANCE,
    },
    card.rank_correlation && {
      name: "Rank correlation",
      value: card.rank_correlation,
      mark: CHANCE,
    },
    card.ordering && {
      name: "What people pass scores higher",
      value: card.ordering,
      isShare: true,
      mark: { at: 0.5, words: "50% is chance" },
    },
    passing && { name: "Of what people pass, it passes", value: passing, isShare: true },
    failing && { name: "Of what people do not pass, it does not", value: failing, isShare: true },
    card.consistency && {
      name: "Same verdict when graded again",
      value: card.consistency.equal,
      isShare: true,
    },
    card.order_swap && {
      name: "Same choice in both orders",
      value: card.order_swap.same,
      isShare: true,
    },
    { name: "People pass", value: passed.base_rate, isShare: true },
  ];
  return rows.filter((row): row is IntervalRow => row !== null && row !== undefined);
}
