// The filters above the list of traces.
import type { TraceQuery } from "../../contract.gen";
import { CheckField, ChoiceField, Field } from "../../ui/Field";

const TIMES = [
  ["all", "All time"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
] as const;
const TURNS = [1, 2, 3, 5, 10].map((turns) => [String(turns), `${turns}+ turns`] as const);
const EVERY_MODEL = "";

export const UNFILTERED: TraceQuery = {
  since: "all",
  model: null,
  min_turns: 1,
  has_response: false,
  search: "",
};

interface Props {
  readonly query: TraceQuery;
  /** Of all traces of the source, so that choosing one does not hide the others. */
  readonly models: readonly string[];
  onChange(query: TraceQuery): void;
}

export function TraceFilters({ query, models, onChange }: Props) {
  const set = (news: Partial<TraceQuery>) => onChange({ ...query, ...news });
  return (
    <fieldset className="rft-trace-filters" aria-label="Filters">
      <ChoiceField
        label="Time"
        value={query.since}
        options={TIMES}
        onChange={(since) => set({ since })}
      />
      <ChoiceField
        label="Model"
        value={query.model ?? EVERY_MODEL}
        options={[[EVERY_MODEL, "All models"], ...models.map((name) => [name, name] as const)]}
        onChange={(model) => set({ model: model === EVERY_MODEL ? null : model })}
      />
      <ChoiceField
        label="Min turns"
        value={String(query.min_turns)}
        options={TURNS}
        onChange={(turns) => set({ min_turns: Number(turns) })}
      />
      <Field label="Search">
        {(control) => (
          <input
            {...control}
            type="search"
            className="rft-input"
            placeholder="Anywhere in the conversation"
            maxLength={1000}
            value={query.search}
            onChange={(event) => set({ search: event.currentTarget.value })}
          />
        )}
      </Field>
      <CheckField
        label="Has assistant response"
        checked={query.has_response}
        onChange={(has_response) => set({ has_response })}
      />
    </fieldset>
  );
}
