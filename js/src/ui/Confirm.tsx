// A question before something that is not easily taken back.
import * as Radix from "@radix-ui/react-alert-dialog";
import type { ReactNode } from "react";
import { useModalPortal } from "./modal";

interface Props {
  readonly title: string;
  readonly children?: ReactNode;
  /** The verb of what happens: "Delete 3 records". */
  readonly action: string;
  readonly isDangerous?: boolean;
  onConfirm(): void;
  onCancel(): void;
}

export function Confirm({ title, children, action, isDangerous, onConfirm, onCancel }: Props) {
  const container = useModalPortal();
  return (
    <Radix.Root open onOpenChange={(isOpen) => !isOpen && onCancel()}>
      <Radix.Portal container={container}>
        <Radix.Overlay className="rft-backdrop rft-backdrop-high">
          <Radix.Content className="rft-overlay rft-confirm">
            <Radix.Title className="rft-dialog-title">{title}</Radix.Title>
            <Radix.Description asChild>
              <div className="rft-confirm-text">{children}</div>
            </Radix.Description>
            <div className="rft-dialog-foot">
              <Radix.Cancel className="rft-button rft-button-plain">Cancel</Radix.Cancel>
              <Radix.Action
                className={`rft-button rft-button-${isDangerous ? "danger" : "main"}`}
                onClick={onConfirm}
              >
                {action}
              </Radix.Action>
            </div>
          </Radix.Content>
        </Radix.Overlay>
      </Radix.Portal>
    </Radix.Root>
  );
}
