// What the steps are, which keys work, and the same in Python.
import { PIPELINE_STEPS } from "../contract.gen";
import { SmallDialog } from "../ui/SmallDialog";

/** What a step is for, and its calls in Python, in the order of the steps. */
const STEPS: readonly (readonly [what: string, calls: string])[] = [
  [
    "Prompts with what was answered to them, from traces or files.",
    "ds.import_records(path)  ds.add_traces(traces)",
  ],
  [
    "A tree of topics, and every record under one of them.",
    "ds.generate_topics()  ds.categorize()",
  ],
  [
    "Whether the topics have as many records as they should.",
    "ds.coverage()  ds.set_targets({...})",
  ],
  ["What gives an answer its score from 0 to 1.", "ds.set_grader(grader)  ds.test_grader()"],
  ["Whether training with this grader would teach anything.", "ds.dry_run()"],
  ["Training, measured on records that were held out.", "ds.train()"],
  ["An endpoint that answers, compared with what was before.", "ds.deploy()"],
];

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ["Tab, arrow keys", "from step to step on the canvas"],
  ["Home, End", "to the first and the last step"],
  ["Enter", "open a step, press a button"],
  ["Esc", "close what is on top"],
  ["/", "search the records"],
  ["j, k", "next and previous record"],
  ["Ctrl + wheel", "zoom the canvas"],
  ["?", "this help"],
];

export function Help({ onClose }: { onClose(): void }) {
  return (
    <SmallDialog title="Help" onClose={onClose}>
      <section aria-label="The seven steps">
        <h3 className="rft-section-title">The seven steps</h3>
        <ol className="rft-help-steps">
          {PIPELINE_STEPS.map((step, index) => (
            <li key={step.id}>
              <span className="rft-step-disc" aria-hidden>
                {step.id}
              </span>
              <span>
                <strong>{step.name}</strong> {STEPS[index]?.[0]}
                <code className="rft-mono">{STEPS[index]?.[1]}</code>
              </span>
            </li>
          ))}
        </ol>
        <p className="rft-note">
          Everything on these screens is a call of the dataset: what a cell does shows here, and
          what is done here a cell sees. ds.to_script() writes it all down as a script.
        </p>
      </section>
      <section aria-label="Keys">
        <h3 className="rft-section-title">Keys</h3>
        <dl className="rft-facts">
          {KEYS.map(([keys, what]) => (
            <div key={keys} className="rft-help-key">
              <dt>
                <kbd>{keys}</kbd>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </section>
    </SmallDialog>
  );
}
