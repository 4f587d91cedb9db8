// What the table and a record ask of the kernel.
import type {
  Download,
  EditedRecord,
  GridContext,
  RecordDetail,
  RecordTexts,
  Selection,
  SelectionSize,
  TextCheck,
  WorkEstimate,
} from "../contract.gen";
import type { LoadRows } from "./useView";

export type FileFormat = "jsonl" | "training" | "csv";

export interface GridApi {
  readonly rows: LoadRows;
  context(signal: AbortSignal): Promise<GridContext>;
  record(id: string, signal: AbortSignal): Promise<RecordDetail>;
  beginEdit(id: string, signal: AbortSignal): Promise<EditedRecord>;
  checkEdit(id: string, texts: RecordTexts, signal: AbortSignal): Promise<TextCheck>;
  saveEdit(id: string, version: number, texts: RecordTexts): Promise<null>;
  confirmTopic(id: string): Promise<string>;
  size(selection: Selection, signal: AbortSignal): Promise<SelectionSize>;
  assignTopic(selection: Selection, topic: string | null): Promise<number>;
  /** Delete, and offer to undo it. */
  remove(selection: Selection): Promise<void>;
  /** What grading would take of models; null where the grader asks none. */
  estimateEvaluate(selection: Selection, signal: AbortSignal): Promise<WorkEstimate | null>;
  evaluate(selection: Selection, maxCostUsd: number | null): Promise<unknown>;
  exportFile(selection: Selection, format: FileFormat, signal: AbortSignal): Promise<Download>;
  /** Open the dialog that makes variations. */
  generate(selection: Selection): void;
}
