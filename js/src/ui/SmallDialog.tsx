// A dialog of the page's own, which needs no model in the kernel.
import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Overlay } from "./Overlay";

interface Props {
  readonly title: string;
  readonly children: ReactNode;
  readonly footer?: ReactNode;
  onClose(): void;
}

export function SmallDialog({ title, children, footer, onClose }: Props) {
  return (
    <Overlay shape="dialog" onClose={onClose}>
      <section className="rft-dialog rft-small-dialog">
        <header className="rft-dialog-head">
          <div className="rft-dialog-titles">
            <Radix.Title className="rft-dialog-title">{title}</Radix.Title>
          </div>
          <button type="button" className="rft-icon-button" aria-label="Close" onClick={onClose}>
            <X size={16} aria-hidden />
          </button>
        </header>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
        <section className="rft-dialog-body" aria-label={title} tabIndex={0}>
          {children}
        </section>
        {footer && <footer className="rft-dialog-foot">{footer}</footer>}
      </section>
    </Overlay>
  );
}
