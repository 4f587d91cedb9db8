// Short news at the edge of the page, for what happens out of sight.
import * as Radix from "@radix-ui/react-toast";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { createPortal } from "react-dom";
import { usePortal } from "../host/portal";
import type { Tone } from "./Badge";

export interface Toast {
  readonly title: string;
  readonly text?: string;
  readonly tone?: Tone;
  /** Such as Undo. */
  readonly action?: { readonly label: string; run(): void };
}

type Say = (toast: Toast) => void;

const ToastContext = createContext<Say>(() => {});

/** Say something at the edge of the page. */
export const useToast = (): Say => useContext(ToastContext);

/** Two views may tell of the end of one job: what stands there already is not said again. */
const isSame = (one: Toast, other: Toast): boolean =>
  Boolean(one.text) && one.text === other.text && !one.action && !other.action;

const DURATION_MS = 8_000;
const MOST = 4;
let count = 0;

export function Toasts({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly (Toast & { readonly key: number })[]>([]);
  const container = usePortal();
  const say = useCallback<Say>((toast) => {
    count += 1;
    const key = count;
    setToasts((before) =>
      before.some((one) => isSame(one, toast))
        ? before
        : [...before, { ...toast, key }].slice(-MOST),
    );
  }, []);
  const drop = useCallback(
    (key: number) => setToasts((before) => before.filter((toast) => toast.key !== key)),
    [],
  );
  const shown = useMemo(
    () => (
      <Radix.Provider duration={DURATION_MS} label="News">
        {toasts.map(({ key, title, text, tone = "idle", action }) => (
          <Radix.Root
            key={key}
            className={`rft-toast rft-tone-${tone}`}
            onOpenChange={(isOpen) => !isOpen && drop(key)}
          >
            <Radix.Title className="rft-toast-title">{title}</Radix.Title>
            {text && <Radix.Description className="rft-toast-text">{text}</Radix.Description>}
            {action && (
              <Radix.Action className="rft-button" altText={action.label} onClick={action.run}>
                {action.label}
              </Radix.Action>
            )}
            <Radix.Close className="rft-icon-button" aria-label="Dismiss">
              ×
            </Radix.Close>
          </Radix.Root>
        ))}
        <Radix.Viewport className="rft-toasts" />
      </Radix.Provider>
    ),
    [toasts, drop],
  );
  return (
    <ToastContext value={say}>
      {children}
      {toasts.length > 0 && createPortal(shown, container)}
    </ToastContext>
  );
}
