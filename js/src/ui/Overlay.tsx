// A dialog in the middle of the page, or a sheet at its right edge, above everything else.
import * as Radix from "@radix-ui/react-dialog";
import { type ReactNode, useState } from "react";
import { useModalPortal } from "./modal";

interface Props {
  readonly shape: "dialog" | "sheet";
  readonly children: ReactNode;
  onClose(): void;
}

/** Holds the focus until it is closed, by Escape or a click beside it, and gives it back then. */
export function Overlay({ shape, children, onClose }: Props) {
  const container = useModalPortal();
  const [opener] = useState(() => document.activeElement);
  return (
    <Radix.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Radix.Portal container={container}>
        <Radix.Overlay className="rft-backdrop">
          <Radix.Content
            className={`rft-overlay rft-overlay-${shape}`}
            aria-describedby={undefined}
            onOpenAutoFocus={focusFirst}
            onCloseAutoFocus={(event) => {
              event.preventDefault();
              if (opener instanceof HTMLElement) opener.focus({ preventScroll: true });
            }}
          >
            {children}
          </Radix.Content>
        </Radix.Overlay>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The dialog itself gets the focus, so that Tab goes to its first control and a reader says its name. */
function focusFirst(event: Event): void {
  event.preventDefault();
  if (event.target instanceof HTMLElement) event.target.focus();
}
