// Asks for a topic.
import { useState } from "react";
import { Confirm } from "../ui/Confirm";
import { Field } from "../ui/Field";

interface Props {
  readonly title: string;
  readonly topics: readonly string[];
  readonly current?: string | null;
  onConfirm(topic: string | null): void;
  onCancel(): void;
}

export function TopicConfirm({ title, topics, current = null, onConfirm, onCancel }: Props) {
  const [at, setAt] = useState(() => topics.indexOf(current ?? topics[0] ?? ""));
  return (
    <Confirm
      title={title}
      action="Assign"
      onConfirm={() => onConfirm(topics[at] ?? null)}
      onCancel={onCancel}
    >
      <Field label="Topic" hint={topics.length === 0 ? "There are no topics yet." : undefined}>
        {(control) => (
          <select
            {...control}
            className="rft-input"
            value={at}
            onChange={(event) => setAt(Number(event.currentTarget.value))}
          >
            <option value={-1}>No topic</option>
            {topics.map((topic, index) => (
              <option key={topic} value={index}>
                {topic}
              </option>
            ))}
          </select>
        )}
      </Field>
    </Confirm>
  );
}
