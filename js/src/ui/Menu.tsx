// A button that opens a list of commands.
import * as Radix from "@radix-ui/react-dropdown-menu";
import type { ReactNode } from "react";
import { usePortal } from "../host/portal";

export interface MenuItem {
  readonly label: string;
  readonly icon?: ReactNode;
  readonly isDangerous?: boolean;
  readonly disabled?: boolean;
  onSelect(): void;
}

interface Props {
  readonly items: readonly MenuItem[];
  /** The button, such as a `<Button>` or an `<IconButton>`. */
  readonly children: ReactNode;
}

export function Menu({ items, children }: Props) {
  const container = usePortal();
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal container={container}>
        <Radix.Content className="rft-menu" align="end" sideOffset={4} collisionPadding={8}>
          {items.map(({ label, icon, isDangerous, disabled, onSelect }) => (
            <Radix.Item
              key={label}
              className={isDangerous ? "rft-menu-item rft-menu-danger" : "rft-menu-item"}
              disabled={disabled ?? false}
              onSelect={onSelect}
            >
              {icon}
              {label}
            </Radix.Item>
          ))}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
