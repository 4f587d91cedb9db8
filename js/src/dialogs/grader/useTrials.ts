// Long work with the draft, and what came of it last.
import { useRef } from "react";
import type { GraderDialogCalls } from "../../contract.gen";
import { useRevision } from "../../host/bridge";
import { useJob, useJobEnd } from "../../host/jobs";
import { useAction, useLoaded } from "../../host/loaded";
import type { Rpc } from "../../host/rpc";
import type { Given } from "./useCheck";

const KINDS = ["test_grader", "grader_labels", "compare_graders"];

export function useTrials(rpc: Rpc<GraderDialogCalls>, given: Given | null) {
  const revision = useRevision();
  const results = useLoaded((signal) => rpc.call("results", {}, signal), { revision });
  const seed = useRef(0);
  const jobs = {
    test: useJob("test_grader"),
    labels: useJob("grader_labels"),
    versions: useJob("compare_graders"),
  };
  useJobEnd((job) => {
    if (KINDS.includes(job.kind)) results.reload();
  });
  const begin = useAction(async (call: (asked: Given) => Promise<unknown>) => {
    if (given) await call(given);
  });
  const test = () => begin.run((asked) => rpc.call("start_test", { ...asked, seed: seed.current }));
  return {
    jobs,
    results: results.value,
    problem: begin.problem ?? results.problem,
    test,
    /** The same on other records. */
    testOthers: () => {
      seed.current += 1;
      return test();
    },
    compareLabels: (field: string) =>
      begin.run((asked) => rpc.call("start_labels", { ...asked, field })),
    compareVersion: (version: number) =>
      begin.run((asked) => rpc.call("start_comparison", { ...asked, version })),
  };
}
