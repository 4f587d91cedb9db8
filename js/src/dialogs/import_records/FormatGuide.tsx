// What a file may hold.
const EXAMPLE = `{"messages": [{"role": "system", "content": "You answer for a shop."},
              {"role": "user", "content": "Where is my order 1234?"},
              {"role": "assistant", "content": "It left us on Monday."}],
 "reference_answer": "On its way since Monday"}`;

export function FormatGuide() {
  return (
    <details className="rft-guide">
      <summary>Format guide</summary>
      <p>
        One JSON object a line (JSONL), or one JSON array of them, as it is or compressed (.gz), in
        UTF-8. Shown here over several lines:
      </p>
      <pre className="rft-mono">{EXAMPLE}</pre>
      <ul className="rft-plain-list">
        <li>
          Needed: <code>messages</code>, each with a role (system, developer, user, assistant, tool)
          and content; the last user message has at least 10 characters.
        </li>
        <li>
          Optional: <code>tools</code>, <code>tool_choice</code>, <code>id</code>,{" "}
          <code>topic</code>, <code>metadata</code>. Every other key is kept for the grader.
        </li>
        <li>A last message of the assistant counts as the recorded answer.</li>
        <li>
          Also taken: <code>{'{"input": {...}, "output": {...}}'}</code>, either form wrapped in{" "}
          <code>data</code>, and exports of traces (OpenTelemetry, OpenInference, Langfuse, LiteLLM,
          Helicone, Bedrock, OpenAI).
        </li>
        <li>A line that holds no record is refused and listed; the others are imported.</li>
      </ul>
    </details>
  );
}
