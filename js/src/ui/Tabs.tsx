import * as Radix from "@radix-ui/react-tabs";
import type { ReactNode } from "react";

interface Props<V extends string> {
  readonly label: string;
  readonly value: V;
  readonly tabs: readonly {
    readonly value: V;
    readonly title: ReactNode;
    readonly body: ReactNode;
  }[];
  onChange(value: V): void;
}

export function Tabs<V extends string>({ label, value, tabs, onChange }: Props<V>) {
  return (
    <Radix.Root
      className="rft-tabs"
      value={value}
      onValueChange={(chosen) => {
        const found = tabs.find((tab) => tab.value === chosen);
        if (found) onChange(found.value);
      }}
    >
      <Radix.List className="rft-tab-list" aria-label={label}>
        {tabs.map((tab) => (
          <Radix.Trigger key={tab.value} value={tab.value} className="rft-tab">
            {tab.title}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.value} value={tab.value} className="rft-tab-body">
          {tab.body}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
