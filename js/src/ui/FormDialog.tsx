// A small form above everything else: it stays open until what it asks for went well.
import * as Radix from "@radix-ui/react-dialog";
import type { ReactNode } from "react";
import type { Problem } from "../contract.gen";
import { Button } from "./Button";
import { useModalPortal } from "./modal";
import { ProblemNote } from "./ProblemNote";

interface Props {
  readonly title: string;
  /** The verb of what happens. */
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly isBusy?: boolean;
  readonly canSubmit?: boolean;
  readonly problem?: Problem | null;
  readonly children: ReactNode;
  onSubmit(): void;
  onClose(): void;
  /** Gives the focus back; by default it goes where it was. */
  onClosed?(): void;
}

export function FormDialog(props: Props) {
  const { title, action, isDangerous, isBusy = false, canSubmit = true, problem } = props;
  const { onSubmit, onClose, onClosed, children } = props;
  const container = useModalPortal();
  return (
    <Radix.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Radix.Portal container={container}>
        <Radix.Overlay className="rft-backdrop rft-backdrop-high">
          <Radix.Content
            className="rft-overlay rft-confirm"
            aria-describedby={undefined}
            onCloseAutoFocus={(event) => {
              if (!onClosed) return;
              event.preventDefault();
              onClosed();
            }}
          >
            <form
              onSubmit={(event) => {
                event.preventDefault();
                event.stopPropagation();
                if (canSubmit && !isBusy) onSubmit();
              }}
            >
              <Radix.Title className="rft-dialog-title">{title}</Radix.Title>
              <div className="rft-form">
                {children}
                {problem && <ProblemNote problem={problem} />}
              </div>
              <div className="rft-dialog-foot">
                <Button onClick={onClose}>Cancel</Button>
                <Button
                  type="submit"
                  look={isDangerous ? "danger" : "main"}
                  isBusy={isBusy}
                  disabled={!canSubmit}
                >
                  {action}
                </Button>
              </div>
            </form>
          </Radix.Content>
        </Radix.Overlay>
      </Radix.Portal>
    </Radix.Root>
  );
}
