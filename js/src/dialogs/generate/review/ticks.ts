// Which candidates are ticked. They begin with those that have no fault.
import type { CandidateGroup } from "../../../contract.gen";

/** A row of the list: a topic, or a candidate of it. */
export type Item =
  | { readonly kind: "topic"; readonly group: CandidateGroup }
  | { readonly kind: "candidate"; readonly group: CandidateGroup; readonly id: number };

export type Shown = "all" | "good" | "faulty";

export class Ticks {
  /** Those that somebody ticked or unticked. */
  readonly changed: ReadonlySet<number>;
  private readonly faulty: ReadonlySet<number>;

  constructor(
    private readonly groups: readonly CandidateGroup[],
    changed: ReadonlySet<number> = new Set(),
  ) {
    this.faulty = new Set(groups.flatMap((group) => group.faulty));
    const there = new Set(groups.flatMap((group) => group.ids));
    this.changed = new Set([...changed].filter((id) => there.has(id)));
  }

  has(id: number): boolean {
    return this.faulty.has(id) === this.changed.has(id);
  }

  /** Numbers of all that are ticked, or of all that are not. */
  all(isTicked: boolean): readonly number[] {
    return this.groups.flatMap(({ ids }) => ids.filter((id) => this.has(id) === isTicked));
  }

  /** How many of a topic are ticked. */
  of(group: CandidateGroup): number {
    return group.ids.reduce((sum, id) => sum + Number(this.has(id)), 0);
  }

  toggle(id: number): Ticks {
    return this.set([id], !this.has(id));
  }

  /** All of a topic, or none where all of them are ticked. */
  toggleGroup(group: CandidateGroup): Ticks {
    return this.set(group.ids, this.of(group) < group.ids.length);
  }

  private set(ids: readonly number[], isTicked: boolean): Ticks {
    const changed = new Set(this.changed);
    for (const id of ids) {
      if (this.faulty.has(id) === isTicked) changed.add(id);
      else changed.delete(id);
    }
    return new Ticks(this.groups, changed);
  }
}

export function itemsOf(groups: readonly CandidateGroup[], shown: Shown): readonly Item[] {
  return groups.flatMap((group): readonly Item[] => {
    const faulty = new Set(group.faulty);
    const ids = group.ids.filter(
      (id) => shown === "all" || faulty.has(id) === (shown === "faulty"),
    );
    if (ids.length === 0) return [];
    return [
      { kind: "topic", group },
      ...ids.map((id) => ({ kind: "candidate", group, id }) as const),
    ];
  });
}
