// The scrolled part of the table: its own pixels where they fit, else mapped onto fewer.
import { type RefCallback, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import {
  clamp,
  type Geometry,
  isMapped,
  lastTop,
  ROW,
  scrollOf,
  topOf,
  topShowing,
} from "./scroll";

export interface Scroll {
  readonly box: RefCallback<HTMLDivElement>;
  readonly geometry: Geometry;
  /** Pixels of the table above what is shown. */
  readonly top: number;
  /** Where row 0 would lie in the spacer. */
  readonly origin: number;
  onScroll(): void;
  moveTo(top: number): void;
  show(index: number): void;
}

const LINE = 40; // pixels of a wheel that counts in lines

export function useScroll(rows: number, headHeight: number): Scroll {
  const [element, box] = useState<HTMLDivElement | null>(null);
  const [height, setHeight] = useState(400);
  const [at, setAt] = useState({ top: 0, scroll: 0 });
  const geometry: Geometry = { rows, height };
  const now = useRef({ geometry, ...at });
  now.current = { geometry, ...at };
  const own = useRef<number | null>(null);

  useLayoutEffect(() => {
    if (!element) return;
    const measure = () => setHeight(Math.max(element.clientHeight - headHeight, ROW));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [element, headHeight]);

  const moveTo = useCallback(
    (top: number) => {
      const shape = now.current.geometry;
      const next = clamp(top, lastTop(shape));
      if (!element) return;
      element.scrollTop = scrollOf(next, shape);
      own.current = element.scrollTop; // rounded by the browser; the event that comes is ours
      setAt({ top: next, scroll: element.scrollTop });
    },
    [element],
  );

  const onScroll = useCallback(() => {
    if (!element) return;
    const scroll = element.scrollTop;
    if (own.current !== null && Math.abs(scroll - own.current) < 1) return;
    own.current = null;
    setAt({ top: topOf(scroll, now.current.geometry), scroll });
  }, [element]);

  const show = useCallback(
    (index: number) => {
      const { top, geometry: shape } = now.current;
      const next = topShowing(index, top, shape);
      if (next !== top) moveTo(next);
    },
    [moveTo],
  );

  // Where a pixel of the scroll bar is many rows, the wheel moves the table itself.
  const mapped = isMapped(rows);
  useEffect(() => {
    if (!element || !mapped) return;
    const wheel = (event: WheelEvent) => {
      if (event.ctrlKey || event.deltaY === 0) return;
      event.preventDefault();
      const { top, geometry: shape } = now.current;
      const unit = [1, LINE, shape.height][event.deltaMode] ?? 1;
      moveTo(top + event.deltaY * unit);
      now.current.top = clamp(top + event.deltaY * unit, lastTop(shape)); // for one in the same frame
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [element, mapped, moveTo]);

  // A view with fewer rows: what is shown ends where it ends.
  const most = lastTop(geometry);
  useLayoutEffect(() => {
    if (now.current.top > most) moveTo(most);
  }, [most, moveTo]);

  return { box, geometry, top: at.top, origin: at.scroll - at.top, onScroll, moveTo, show };
}
