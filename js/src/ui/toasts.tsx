// Short news at the edge of the page, for what happens out of sight.
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
} from "react";
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
type Shown = Toast & { readonly key: number };

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
  const [toasts, setToasts] = useState<readonly Shown[]>([]);
  const [isHeld, setHeld] = useState(false);
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
  const drop = useCallback((key: number) => {
    setToasts((before) => before.filter((toast) => toast.key !== key));
    setHeld(false); // what had the pointer or the focus is gone, and tells of it no more
  }, []);
  return (
    <ToastContext value={say}>
      {children}
      {createPortal(
        // It is there before anything is in it, or a reader would not tell of what comes; and
        // what waits behind a dialog is hidden from readers, but not what is live.
        <section
          className="rft-toasts"
          aria-label="News"
          aria-live="polite"
          // A dialog takes a press in the document, but outside of it, as the wish to close it.
          onPointerDown={(event) => event.nativeEvent.stopPropagation()}
          onPointerEnter={() => setHeld(true)}
          onPointerLeave={() => setHeld(false)}
          onFocus={() => setHeld(true)}
          onBlur={() => setHeld(false)}
        >
          {toasts.map((toast) => (
            <News key={toast.key} toast={toast} isHeld={isHeld} onDrop={drop} />
          ))}
        </section>,
        container,
      )}
    </ToastContext>
  );
}

interface NewsProps {
  readonly toast: Shown;
  /** Somebody is looking: it stays. */
  readonly isHeld: boolean;
  onDrop(key: number): void;
}

function News({ toast, isHeld, onDrop }: NewsProps) {
  const { key, title, text, tone = "idle", action } = toast;
  const left = useRef(DURATION_MS);
  useEffect(() => {
    if (isHeld) return;
    const since = Date.now();
    const timer = setTimeout(() => onDrop(key), left.current);
    return () => {
      clearTimeout(timer);
      left.current -= Date.now() - since;
    };
  }, [isHeld, key, onDrop]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape is a second way to its button
    <div
      className={`rft-toast rft-tone-${tone}`}
      onKeyDown={(event) => event.key === "Escape" && onDrop(key)}
    >
      <span className="rft-toast-title">{title}</span>
      {text && <span className="rft-toast-text">{text}</span>}
      {action && (
        <button
          type="button"
          className="rft-button"
          onClick={() => {
            action.run();
            onDrop(key);
          }}
        >
          {action.label}
        </button>
      )}
      <button
        type="button"
        className="rft-icon-button"
        aria-label="Dismiss"
        onClick={() => onDrop(key)}
      >
        ×
      </button>
    </div>
  );
}
