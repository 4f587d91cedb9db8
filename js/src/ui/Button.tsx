import type { ButtonHTMLAttributes, ReactNode } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: "plain" | "main" | "danger" | "ghost";
  /** Before the words; hidden from readers of the screen. */
  readonly icon?: ReactNode;
  readonly isBusy?: boolean;
}

export function Button({ look = "plain", icon, isBusy = false, ...rest }: Props) {
  const { className, children, disabled, ...attributes } = rest;
  return (
    <button
      type="button"
      {...attributes}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
      className={["rft-button", `rft-button-${look}`, className].filter(Boolean).join(" ")}
    >
      {isBusy ? <span className="rft-spinner" aria-hidden /> : icon}
      {children}
    </button>
  );
}

interface IconProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What it does, as its name and its tip. */
  readonly label: string;
  readonly children: ReactNode;
}

export function IconButton({ label, children, className, ...attributes }: IconProps) {
  return (
    <button
      type="button"
      {...attributes}
      className={["rft-icon-button", className].filter(Boolean).join(" ")}
      aria-label={label}
      title={label}
    >
      {children}
    </button>
  );
}
