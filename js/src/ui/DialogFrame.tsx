// Head, body and foot of a dialog, above other widgets or in a cell of its own.
import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { useInOverlay, useNavigation } from "../host/navigation";

interface Props {
  readonly title: string;
  /** A line under the title. */
  readonly subtitle?: ReactNode;
  /** Beside the title: a badge, a menu. */
  readonly aside?: ReactNode;
  /** Buttons at the foot; the main one last. */
  readonly footer?: ReactNode;
  readonly children: ReactNode;
}

export function DialogFrame({ title, subtitle, aside, footer, children }: Props) {
  const isAbove = useInOverlay();
  const { close } = useNavigation();
  return (
    <section className="rft-dialog" aria-label={isAbove ? undefined : title}>
      <header className="rft-dialog-head">
        <div className="rft-dialog-titles">
          {isAbove ? (
            <Radix.Title className="rft-dialog-title">{title}</Radix.Title>
          ) : (
            <h2 className="rft-dialog-title">{title}</h2>
          )}
          {subtitle && <p className="rft-dialog-subtitle">{subtitle}</p>}
        </div>
        {aside && <div className="rft-dialog-aside">{aside}</div>}
        {isAbove && (
          <button type="button" className="rft-icon-button" aria-label="Close" onClick={close}>
            <X size={16} aria-hidden />
          </button>
        )}
      </header>
      <div className="rft-dialog-body">{children}</div>
      {footer && <footer className="rft-dialog-foot">{footer}</footer>}
    </section>
  );
}
