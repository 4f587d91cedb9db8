// Messages with their parts and tool calls, and the tools that were on offer.
import type { ShownMessage, ShownTool } from "../../contract.gen";
import { LongText } from "./LongText";

export function Conversation({ messages }: { readonly messages: readonly ShownMessage[] }) {
  return (
    <ol className="rft-rec-messages">
      {messages.map((message, at) => (
        <li key={`${at}${message.role}`} className="rft-rec-message" data-role={message.tag}>
          <Head message={message} />
          {message.parts.map((part, place) =>
            part.kind === "text" ? (
              <LongText key={place} text={part.text} />
            ) : (
              <p key={place} className="rft-rec-part">
                <span className="rft-mono">{part.kind}</span> {part.text}
              </p>
            ),
          )}
          {isEmpty(message) && <p className="rft-grid-faint">Empty</p>}
          {message.calls.map((call, place) => (
            <div key={`${place}${call.id}`} className="rft-rec-call">
              <span className="rft-mono">
                {call.name}
                {call.id && <span className="rft-grid-faint"> {call.id}</span>}
              </span>
              <LongText text={call.arguments} isCode />
            </div>
          ))}
          {message.extra && <LongText text={message.extra} isCode />}
        </li>
      ))}
    </ol>
  );
}

function isEmpty({ parts, calls }: ShownMessage): boolean {
  return calls.length === 0 && parts.every(({ text }) => text.trim() === "");
}

function Head({ message: { tag, role, name, answers } }: { readonly message: ShownMessage }) {
  return (
    <div className="rft-rec-head">
      <span className="rft-grid-tag" title={role}>
        [{tag}]
      </span>
      {name && <span className="rft-grid-faint">{name}</span>}
      {answers && <span className="rft-grid-faint">answers {answers}</span>}
    </div>
  );
}

export function Tools({ tools }: { readonly tools: readonly ShownTool[] }) {
  return (
    <ul className="rft-rec-tools">
      {tools.map((tool, at) => (
        <li key={`${at}${tool.name}`}>
          <details>
            <summary>
              <span className="rft-mono">{tool.name}</span>
              {tool.description && <span className="rft-grid-faint"> {tool.description}</span>}
            </summary>
            <LongText text={tool.parameters || "No parameters"} isCode={tool.parameters !== ""} />
          </details>
        </li>
      ))}
    </ul>
  );
}
