// Every line of the verdict, good ones too, and what the probes of the grader found.
import type { ReactNode } from "react";
import type { Check, DryRunReport, Probe } from "../../contract.gen";
import { Badge, type Tone } from "../../ui/Badge";
import { counted } from "../../ui/numbers";
import {
  checkTitle,
  checkValue,
  isProbe,
  LEVEL_TONES,
  LEVEL_WORDS,
  PROBE_TITLES,
  score,
} from "./words";

export function Checks({ report }: { readonly report: DryRunReport }) {
  return (
    <div className="rft-dry-checks">
      <section aria-label="Checks">
        <h3 className="rft-section-title">Checks</h3>
        <Table>
          {report.checks
            .filter((check) => !isProbe(check))
            .map((check) => (
              <Row
                key={check.name}
                title={checkTitle(check)}
                about={ABOUT[check.about]}
                tone={LEVEL_TONES[check.level]}
                state={LEVEL_WORDS[check.level]}
                value={checkValue(check)}
                bound={check.bound}
                sentence={check.sentence}
              />
            ))}
        </Table>
      </section>
      <section aria-label="Probes of the grader">
        <h3 className="rft-section-title">Probes of the grader</h3>
        {report.probes.length === 0 ? (
          <p className="rft-note">The grader was not probed in this run.</p>
        ) : (
          <>
            <p className="rft-note">
              Answers that deserve nothing, graded like real ones. A grader that rewards them
              teaches a model to answer so.
            </p>
            <Table>
              {report.probes.map((probe) => (
                <Row
                  key={probe.name}
                  title={PROBE_TITLES.get(probe.name) ?? probe.name}
                  about={counted(probe.graded, "grading")}
                  {...outcome(probe)}
                  value={score(probe.value)}
                  bound={probe.bound}
                  sentence={probe.sentence}
                />
              ))}
            </Table>
          </>
        )}
      </section>
    </div>
  );
}

const ABOUT: Readonly<Record<Check["about"], string>> = {
  grader: "about the grader",
  data: "about the data",
  sample: "about the sample",
};

function outcome({ passed }: Probe): { tone: Tone; state: string } {
  if (passed === null) return { tone: "idle", state: "Not graded" };
  return passed ? { tone: "ok", state: "Passed" } : { tone: "warn", state: "Failed" };
}

function Table({ children }: { readonly children: ReactNode }) {
  return (
    <table className="rft-dry-table rft-dry-check-table">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Result</th>
          <th scope="col" className="rft-number">
            Value
          </th>
          <th scope="col">Good is</th>
          <th scope="col">What it means</th>
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

interface RowProps {
  readonly title: string;
  readonly about: string;
  readonly tone: Tone;
  readonly state: string;
  readonly value: string;
  readonly bound: string;
  readonly sentence: string;
}

function Row({ title, about, tone, state, value, bound, sentence }: RowProps) {
  return (
    <tr>
      <th scope="row">
        {title}
        <small>{about}</small>
      </th>
      <td>
        <Badge tone={tone}>{state}</Badge>
      </td>
      <td className="rft-number">{value}</td>
      <td className="rft-dry-bound">{bound}</td>
      <td>{sentence}</td>
    </tr>
  );
}
