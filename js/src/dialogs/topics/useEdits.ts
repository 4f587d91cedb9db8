// Edits of the tree: one at a time, with what was refused in words.
import { useState } from "react";
import type { Problem, TopicsDialogCalls } from "../../contract.gen";
import { useAction } from "../../host/loaded";
import type { Rpc } from "../../host/rpc";
import type { Move } from "./tree";

export interface Edits {
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  clear(): void;
  /** Each gives the path that the topic is found under now, or nothing where it was refused. */
  add(parent: string, name: string): Promise<string | null>;
  rename(path: string, name: string): Promise<string | null>;
  describe(path: string, description: string, keywords: readonly string[]): Promise<string | null>;
  move(path: string, to: Move): Promise<string | null>;
  merge(path: string, into: string): Promise<string | null>;
  remove(path: string, into: string | null): Promise<string | null>;
  split(path: string, parts: number | null): Promise<string | null>;
}

export function useEdits(rpc: Rpc<TopicsDialogCalls>): Edits {
  const action = useAction(async (run: () => Promise<void>) => run());
  const [edits] = useState(() => {
    const edit = async (call: () => Promise<string>): Promise<string | null> => {
      let found: string | null = null;
      await action.run(async () => {
        found = await call();
      });
      return found;
    };
    return {
      add: (parent: string, name: string) => edit(() => rpc.call("add_topic", { parent, name })),
      rename: (path: string, name: string) => edit(() => rpc.call("rename_topic", { path, name })),
      describe: (path: string, description: string, keywords: readonly string[]) =>
        edit(() => rpc.call("describe_topic", { path, description, keywords })),
      move: (path: string, to: Move) => edit(() => rpc.call("move_topic", { path, ...to })),
      merge: (path: string, into: string) => edit(() => rpc.call("merge_topics", { path, into })),
      remove: (path: string, into: string | null) =>
        edit(() => rpc.call("delete_topic", { path, into })),
      split: (path: string, parts: number | null) =>
        edit(async () => {
          await rpc.call("split_topic", { path, n_topics: parts });
          return path;
        }),
    };
  });
  return { ...edits, isBusy: action.isBusy, problem: action.problem, clear: action.clear };
}
