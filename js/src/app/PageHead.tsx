// The bar at the top of every page: the way back, the title, its buttons, and the jobs.
import { ArrowLeft } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { JobsButton } from "./jobs";
import type { Route } from "./router";
import { Link, useRouting } from "./routing";

interface Props {
  /** Of the page, as the browser shows it in the tab. */
  readonly name: string;
  /** The heading, where it is more than the name. */
  readonly title?: ReactNode;
  /** A line above the heading. */
  readonly above?: ReactNode;
  readonly back?: { readonly to: Route; readonly label: string };
  readonly children?: ReactNode;
}

export function PageHead({ name, title, above, back, children }: Props) {
  const { moves, isAddress } = useRouting();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (isAddress) document.title = `${name} • RFT Pipeline`;
  }, [name, isAddress]);
  // Whoever went to a page begins at its heading; whoever just opened the app, where they like.
  useEffect(() => {
    if (moves > 0) heading.current?.focus();
  }, [moves]);
  return (
    <header className="rft-page-head">
      {back && (
        <Link to={back.to} className="rft-icon-button" label={back.label}>
          <ArrowLeft size={16} aria-hidden />
        </Link>
      )}
      <div className="rft-page-titles">
        {above && <p className="rft-note">{above}</p>}
        <h1 ref={heading} tabIndex={-1} className="rft-page-title" title={name}>
          {title ?? name}
        </h1>
      </div>
      {children}
      <JobsButton />
    </header>
  );
}
