import { Fragment } from "react";

/** A text in which what stands in backticks is code. */
export function Words({ text }: { readonly text: string }) {
  const parts = text.split("`");
  return parts.map((part, index) =>
    index % 2 === 1 && index < parts.length - 1 ? (
      <code key={index}>{part}</code>
    ) : (
      <Fragment key={index}>{part}</Fragment>
    ),
  );
}
