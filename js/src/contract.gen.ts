// Made by `python -m rft_widgets.widgets.contract` from the Python models: edit those instead.

export interface RecordsPreset {
  readonly where?: RecordFilter;
  readonly badge?: string;
}

export interface RecordFilter {
  readonly search?: string;
  readonly topic?: string | null;
  readonly uncategorized?: boolean | null;
  readonly valid?: boolean | null;
  readonly source?: "all" | "generated" | "traces";
  readonly min_score?: number | null;
  readonly max_score?: number | null;
  readonly low_confidence?: boolean;
  readonly code?: "duplicate" | "empty_messages" | "empty_user_message" | "exceeds_max_tokens" | "invalid_role" | "missing_tool_call_id" | "no_user_message" | "orphan_tool_result" | "user_message_too_short" | null;
}

export interface JobState {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly status: "cancelled" | "failed" | "running" | "succeeded";
  readonly started_at: string;
  readonly share: number | null;
  readonly doing: string;
  readonly outcome: string;
  readonly problem: Problem | null;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

export interface HealthReport {
  readonly status: "attention" | "empty" | "healthy" | "warning";
  readonly total: number;
  readonly valid: number;
  readonly invalid: number;
  readonly duplicates: number;
  readonly errors_by_code: Readonly<Record<string, number>>;
  readonly refused_lines: number;
  readonly recommendations: readonly string[];
}

export interface PipelineState {
  readonly nodes: readonly PipelineNode[];
  readonly current_step: number;
}

export interface PipelineNode {
  readonly id: number;
  readonly name: string;
  readonly category: string;
  readonly status: "active" | "attention" | "complete" | "configured" | "failed" | "passed" | "processing" | "ready" | "waiting";
  readonly summary: string;
  readonly status_label: string;
  readonly can_retrigger: boolean;
  readonly blocked_reason: string | null;
  readonly stale: readonly string[];
  readonly progress: number | null;
}

export interface Code {
  readonly sha: string;
  readonly code: string;
  readonly css: string;
}

export type DialogName = "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training";

export interface OverviewTraits {
  readonly activity: string;
  readonly height: number;
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly problem: Problem | null;
  readonly report: HealthReport | null;
  readonly revision: number;
  readonly state: PipelineState | null;
}

export interface OverviewCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface CanvasTraits {
  readonly height: number;
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly problem: Problem | null;
  readonly revision: number;
  selected: number;
  readonly state: PipelineState | null;
}

export interface CanvasCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  open_step: { params: { readonly step: number }; result: null };
}

export interface HealthBarTraits {
  readonly activity: string;
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly problem: Problem | null;
  readonly report: HealthReport | null;
  readonly revision: number;
}

export interface HealthBarCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  view_issues: { params: Record<string, never>; result: null };
}

export interface RecordsGridTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface RecordsGridCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface RecordsDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface RecordsDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface TopicsDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface TopicsDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface CoverageDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface CoverageDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface GenerateDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface GenerateDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface GraderDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface GraderDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface DryRunDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface DryRunDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface TrainingDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface TrainingDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface DeployDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface DeployDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface ImportRecordsDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface ImportRecordsDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface ImportTopicsDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface ImportTopicsDialogCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
}

export interface BundleTraits {
  readonly sha: string;
}

export interface BundleCalls {
  get_code: { params: Record<string, never>; result: Code };
}

export const PIPELINE_STEPS = [
  {
    "id": 1,
    "name": "Extract Data",
    "category": "INGESTION",
    "dialog": "records",
    "can_retrigger": true
  },
  {
    "id": 2,
    "name": "Topics & Category",
    "category": "CLASSIFICATION",
    "dialog": "topics",
    "can_retrigger": true
  },
  {
    "id": 3,
    "name": "Coverage Analysis",
    "category": "DISTRIBUTION",
    "dialog": "coverage",
    "can_retrigger": true
  },
  {
    "id": 4,
    "name": "Grader Config",
    "category": "EVALUATION RULES",
    "dialog": "grader",
    "can_retrigger": true
  },
  {
    "id": 5,
    "name": "Dry Run",
    "category": "VALIDATION",
    "dialog": "dry-run",
    "can_retrigger": true
  },
  {
    "id": 6,
    "name": "Train Model",
    "category": "RFT TRAINING",
    "dialog": "training",
    "can_retrigger": false
  },
  {
    "id": 7,
    "name": "Deploy",
    "category": "DEPLOYMENT",
    "dialog": "deploy",
    "can_retrigger": true
  }
] as const;

export const FINISHED = [
  "complete",
  "configured",
  "passed"
] as const;

export const DIALOG_TITLES = {
  "records": "Extract Data",
  "topics": "Topics & Category",
  "coverage": "Coverage Analysis",
  "generate": "Generate Records",
  "grader": "Grader Config",
  "dry-run": "Dry Run",
  "training": "Train Model",
  "deploy": "Deploy",
  "import-records": "Import Records",
  "import-topics": "Import Topics"
} as const;

export const SETTINGS = {
  "validation": {
    "min_user_message_chars": 10,
    "max_tokens": 8000,
    "chars_per_token": 4,
    "tokenizer": null,
    "attention_share": 0.2,
    "frequent_code_share": 0.05
  },
  "topics": {
    "low_confidence": 0.7
  },
  "pipeline": {
    "uncertain_share": 0.05,
    "exact_stale_records": 100000
  },
  "coverage": {
    "gap_points": 5.0,
    "good_balance": 0.6,
    "fair_balance": 0.4,
    "min_records": 100,
    "dominant_percent": 40.0,
    "near_duplicate_percent": 10.0,
    "largest_gaps": 3,
    "target_tolerance": 0.5
  }
} as const;
