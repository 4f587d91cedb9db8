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
  readonly dry_run?: string | null;
  readonly low_confidence?: boolean;
  readonly code?: "duplicate" | "empty_messages" | "empty_user_message" | "exceeds_max_tokens" | "invalid_role" | "missing_tool_call_id" | "no_user_message" | "orphan_tool_result" | "user_message_too_short" | null;
  readonly ids?: readonly string[];
}

export interface JobLine {
  readonly job: JobState;
  readonly dataset: string;
}

export interface JobState {
  readonly id: string;
  readonly dataset_id: string | null;
  readonly kind: string;
  readonly subject: string;
  readonly title: string;
  readonly status: "cancelled" | "failed" | "queued" | "running" | "succeeded";
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly share: number | null;
  readonly doing: string;
  readonly outcome: string;
  readonly problem: Problem | null;
  readonly attempts: number;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

export interface ConnectionView {
  readonly named: NamedConnection;
  readonly missing: string;
  readonly notice: string;
  readonly input_price: number | null;
  readonly output_price: number | null;
  readonly context: number | null;
  readonly test: ConnectionTest | null;
}

export interface NamedConnection {
  readonly connection: ModelConnection;
  readonly model: string;
  readonly embedding_model: string | null;
  readonly concurrency: number;
  readonly requests_per_minute: number | null;
  readonly input_price: number | null;
  readonly output_price: number | null;
  readonly name: string;
}

export interface ModelConnection {
  readonly base_url: string;
  readonly api_key_env: string | null;
  readonly timeout_s: number;
  readonly structured: boolean;
}

export interface ConnectionTest {
  readonly at: string;
  readonly works: boolean;
  readonly latency_s: number | null;
  readonly problem: Problem | null;
  readonly models: readonly string[];
  readonly shutdown_date: string | null;
  readonly tools: boolean | null;
  readonly json_schema: boolean | null;
  readonly logprobs: boolean | null;
  readonly embeddings: boolean | null;
  readonly words: Readonly<Record<string, string>>;
  readonly notice: string;
}

export interface Download {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly piece_bytes: number;
}

export interface CallTotals {
  readonly calls: number;
  readonly cached: number;
  readonly failed: number;
  readonly uncertain: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cost_micro_usd: number | null;
}

export interface LogLine {
  readonly at: string;
  readonly message: string;
}

export interface DatasetCard {
  readonly id: string;
  readonly name: string;
  readonly objective: string;
  readonly records: number;
  readonly topics: number;
  readonly balance: number | null;
  readonly steps: readonly ("active" | "attention" | "complete" | "configured" | "failed" | "passed" | "processing" | "ready" | "waiting")[];
  readonly status: "attention" | "complete" | "in_progress" | "training";
  readonly status_line: string;
  readonly updated_at: string;
  readonly job: JobState | null;
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

export interface DatasetInfo {
  readonly id: string;
  readonly name: string;
  readonly objective: string;
  readonly source: "gateway" | "upload";
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision: number;
  readonly reset_at: string | null;
}

export interface DatasetSettings {
  readonly info: DatasetInfo;
  readonly stats: DatasetStats;
  readonly connections: readonly ConnectionState[];
  readonly costs: Readonly<Record<string, CallTotals>>;
  readonly total: CallTotals;
}

export interface DatasetStats {
  readonly total_records: number;
  readonly valid_records: number;
  readonly invalid_records: number;
  readonly generated_records: number;
  readonly topics_count: number;
  readonly balance_score: number | null;
  readonly dry_run_status: "caution" | "go" | "no_go" | "pending" | null;
  readonly dry_run_mean: number | null;
  readonly training_runs: number;
}

export interface ConnectionState {
  readonly used_by: string;
  readonly model: string;
  readonly base_url: string | null;
  readonly key_from: string | null;
  readonly missing: string;
}

export interface FileState {
  readonly status: "checking" | "empty" | "failed" | "ready" | "sending";
  readonly upload: UploadState | null;
  readonly share: number | null;
  readonly doing: string;
  readonly problem: Problem | null;
  readonly piece_bytes: number;
  readonly max_bytes: number;
}

export interface UploadState {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly received: number;
}

export interface PatternState {
  readonly is_at_work: boolean;
  readonly pattern: DetectedPattern | null;
}

export interface DetectedPattern {
  readonly title: string;
  readonly traces: number;
  readonly system_prompt: CommonPrompt | null;
  readonly capabilities: readonly Capability[];
  readonly tools: readonly ToolPattern[];
  readonly tool_count: number;
  readonly models: readonly ModelShare[];
  readonly suggested_name: string;
  readonly suggested_objective: string;
}

export interface CommonPrompt {
  readonly text: string;
  readonly share: number;
  readonly is_template: boolean;
  readonly distinct: number;
}

export interface Capability {
  readonly label: string;
  readonly share: number;
  readonly rule: string;
}

export interface ToolPattern {
  readonly name: string;
  readonly description: string | null;
  readonly offered_share: number;
  readonly called_share: number;
}

export interface ModelShare {
  readonly name: string;
  readonly share: number;
}

export interface ScanState {
  readonly location: string;
  readonly name: string;
  readonly status: "failed" | "reading" | "ready";
  readonly format: string;
  readonly read: number;
  readonly models: readonly string[];
  readonly lost: number;
  readonly is_searched_whole: boolean;
  readonly is_refreshing: boolean;
  readonly fresh: number;
  readonly problem: Problem | null;
}

export interface TraceQuery {
  readonly since: "24h" | "30d" | "7d" | "all";
  readonly model: string | null;
  readonly min_turns: number;
  readonly has_response: boolean;
  readonly search: string;
}

export interface TracePage {
  readonly rows: readonly TraceRow[];
  readonly picked: readonly number[];
  readonly matching: number;
  readonly total: number;
  readonly picked_matching: number;
  readonly picked_total: number;
}

export interface TraceRow {
  readonly number: number;
  readonly id: string;
  readonly started_at: string | null;
  readonly model: string | null;
  readonly preview: string;
  readonly turns: number;
  readonly tools: number;
  readonly has_response: boolean;
}

export interface FileCheck {
  readonly format: string;
  readonly lines: number;
  readonly blank: number;
  readonly records: number;
  readonly refused: number;
  readonly append: RecordCounts;
  readonly replace: RecordCounts;
  readonly faults: readonly CodeCount[];
  readonly refusals: readonly CodeCount[];
  readonly lost_calls: number;
  readonly preview: readonly CheckedRecord[];
  readonly issues: readonly LineIssue[];
  readonly issue_count: number;
  readonly fingerprint: string;
}

export interface RecordCounts {
  readonly valid: number;
  readonly invalid: number;
  readonly duplicates: number;
}

export interface CodeCount {
  readonly code: string;
  readonly words: string;
  readonly count: number;
}

export interface CheckedRecord {
  readonly line: number;
  readonly messages: readonly TaggedText[];
  readonly more: number;
  readonly issues: readonly string[];
}

export interface TaggedText {
  readonly tag: string;
  readonly text: string;
}

export interface LineIssue {
  readonly line: number;
  readonly code: string;
  readonly message: string;
  readonly refused: boolean;
}

export interface SourcesView {
  readonly places: readonly TracePlace[];
  readonly any_path: boolean;
  readonly unavailable: readonly string[];
}

export interface TracePlace {
  readonly location: string;
  readonly name: string;
  readonly kind: "api" | "file" | "gateway" | "store";
  readonly size: number | null;
  readonly modified_at: string | null;
}

export interface Selection {
  readonly where?: RecordFilter | null;
  readonly ids?: readonly string[];
  readonly except_ids?: readonly string[];
  readonly also_ids?: readonly string[];
}

export interface EditedRecord {
  readonly version: number;
  readonly texts: RecordTexts;
}

export interface RecordTexts {
  readonly messages: string;
  readonly output: string;
  readonly tools: string;
  readonly item: string;
  readonly metadata: string;
}

export interface TextCheck {
  readonly problems: readonly TextProblem[];
  readonly check: RecordCheck | null;
}

export interface TextProblem {
  readonly part: string;
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

export interface RecordCheck {
  readonly tokens: number;
  readonly issues: readonly ValidationIssue[];
}

export interface ValidationIssue {
  readonly code: "duplicate" | "empty_messages" | "empty_user_message" | "exceeds_max_tokens" | "invalid_role" | "missing_tool_call_id" | "no_user_message" | "orphan_tool_result" | "user_message_too_short";
  readonly message: string;
}

export interface GridContext {
  readonly topics: readonly string[];
  readonly faults: readonly CodeCount[];
  readonly grader: string | null;
}

export interface Deletion {
  readonly id: string;
  readonly dataset_id: string;
  readonly count: number;
  readonly deleted_at: string;
}

export interface WorkEstimate {
  readonly calls: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cost_micro_usd: number | null;
  readonly minutes: number | null;
  readonly past_error: PastError | null;
}

export interface PastError {
  readonly works: number;
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface RecordDetail {
  readonly id: string;
  readonly version: number;
  readonly input: readonly ShownMessage[];
  readonly output: readonly ShownMessage[];
  readonly tools: readonly ShownTool[];
  readonly tool_choice: string;
  readonly finish_reason: string | null;
  readonly item: string;
  readonly metadata: string;
  readonly topic: string | null;
  readonly topic_confidence: number | null;
  readonly topic_method: "import" | "keyword" | "llm" | "manual" | "similarity" | null;
  readonly topic_runner_up: string | null;
  readonly previous_topic: string | null;
  readonly is_valid: boolean;
  readonly issues: readonly ValidationIssue[];
  readonly score: number | null;
  readonly grades: readonly ShownGrade[];
  readonly tokens: number;
  readonly is_generated: boolean;
  readonly strategy: string | null;
  readonly source_record_id: string | null;
  readonly source_is_here: boolean;
  readonly span_id: string | null;
  readonly thread_id: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly edits: readonly ShownEdit[];
}

export interface ShownMessage {
  readonly tag: string;
  readonly role: string;
  readonly name: string | null;
  readonly parts: readonly ShownPart[];
  readonly calls: readonly ShownCall[];
  readonly answers: string | null;
  readonly extra: string;
}

export interface ShownPart {
  readonly kind: string;
  readonly text: string;
}

export interface ShownCall {
  readonly id: string | null;
  readonly name: string;
  readonly arguments: string;
}

export interface ShownTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: string;
}

export interface ShownGrade {
  readonly reward: number | null;
  readonly reasoning: string | null;
  readonly error: string | null;
}

export interface ShownEdit {
  readonly version: number;
  readonly at: string;
  readonly parts: readonly string[];
}

export interface RecordRows {
  readonly revision: number;
  readonly start: number;
  readonly total: number;
  readonly total_is_exact: boolean;
  readonly everything: number;
  readonly found: number | null;
  readonly ids: readonly (string | null)[];
  readonly tags: readonly (readonly string[])[];
  readonly texts: readonly (readonly string[])[];
  readonly more: readonly number[];
  readonly topics: readonly (string | null)[];
  readonly confidences: readonly (number | null)[];
  readonly valid: readonly boolean[];
  readonly faults: readonly (string | null)[];
  readonly generated: readonly boolean[];
  readonly scores: readonly (number | null)[];
  readonly updated: readonly (string | null)[];
  readonly chosen: readonly boolean[];
}

export interface SelectionSize {
  readonly records: number;
  readonly tokens: number;
}

export interface RecordsView {
  readonly source: "gateway" | "upload";
  readonly health: HealthReport;
  readonly generated: number;
  readonly dates: RecordDates;
  readonly faults: readonly Fault[];
  readonly imports: readonly ImportInfo[];
  readonly import_count: number;
  readonly pulled: readonly PulledSource[];
}

export interface RecordDates {
  readonly added_first: string | null;
  readonly added_last: string | null;
  readonly recorded_first: string | null;
  readonly recorded_last: string | null;
}

export interface Fault {
  readonly code: "duplicate" | "empty_messages" | "empty_user_message" | "exceeds_max_tokens" | "invalid_role" | "missing_tool_call_id" | "no_user_message" | "orphan_tool_result" | "user_message_too_short";
  readonly words: string;
  readonly advice: string;
  readonly count: number;
}

export interface ImportInfo {
  readonly id: string;
  readonly mode: "append" | "replace";
  readonly source: string;
  readonly finished: boolean;
  readonly current: boolean;
  readonly started_at: string;
  readonly updated_at: string;
  readonly lines: number;
  readonly blank: number;
  readonly imported: number;
  readonly valid: number;
  readonly invalid: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly fingerprint: string | null;
}

export interface PulledSource {
  readonly location: string;
  readonly read_at: string;
}

export interface ModelChoice {
  readonly name: string;
  readonly model: string;
  readonly notice: string;
  readonly missing: string;
  readonly works: boolean | null;
}

export interface TopicsAtRisk {
  readonly labelled: number;
  readonly by_hand: number;
}

export interface TopicsEstimate {
  readonly naming: WorkEstimate;
  readonly deciding: WorkEstimate | null;
}

export interface TopicsReport {
  readonly method: "auto" | "import" | "manual" | "template";
  readonly topics: readonly TopicRow[];
  readonly leaves: number;
  readonly depth: number;
  readonly records: number;
  readonly categorized: number;
  readonly uncategorized: number;
  readonly other: number;
  readonly decided: number;
  readonly low_confidence: number;
  readonly to_review: number;
  readonly bands: ConfidenceBands;
  readonly measure: ConfidenceMeasure | null;
  readonly edits_since: number;
  readonly confirmed_since: number;
}

export interface TopicRow {
  readonly path: string;
  readonly name: string;
  readonly level: number;
  readonly is_leaf: boolean;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly records: number;
  readonly share: number | null;
  readonly low_confidence: number;
}

export interface ConfidenceBands {
  readonly high: number;
  readonly medium: number;
  readonly needs_review: number;
  readonly unknown: number;
}

export interface ConfidenceMeasure {
  readonly at: string;
  readonly basis: "clustering" | "confirmed" | "estimate";
  readonly records: number;
  readonly accuracy: number | null;
  readonly error: number | null;
}

export interface ReviewItem {
  readonly record_id: string;
  readonly text: string;
  readonly topic: string;
  readonly confidence: number;
  readonly runner_up: string | null;
}

export interface TopicTemplate {
  readonly name: string;
  readonly leaves: number;
  readonly topics: readonly string[];
}

export interface CoverageReport {
  readonly total_records: number;
  readonly categorized_records: number;
  readonly uncategorized_records: number;
  readonly uncategorized_percentage: number;
  readonly topics: readonly TopicCoverage[];
  readonly balance_score: number | null;
  readonly balance_band: "Fair" | "Good" | "Poor" | null;
  readonly entropy: number | null;
  readonly closeness: number | null;
  readonly near_duplicate_percentage: number | null;
  readonly recommendations: readonly string[];
  readonly timestamp: string;
}

export interface TopicCoverage {
  readonly topic: string;
  readonly count: number;
  readonly percentage: number;
  readonly target_percentage: number;
  readonly gap: number;
  readonly gap_records: number;
  readonly status: "ok" | "over" | "under";
}

export interface TopicPercent {
  readonly topic: string;
  readonly percent: number;
}

export interface TopicCount {
  readonly topic: string;
  readonly count: number;
}

export interface AcceptOutcome {
  readonly accepted: AcceptedCandidates;
  readonly balance_before: number | null;
  readonly records: number;
}

export interface AcceptedCandidates {
  readonly records: number;
  readonly record_ids: readonly string[];
  readonly invalid: number;
  readonly without_topic: number;
  readonly balance_score: number | null;
}

export interface CandidateView {
  readonly id: number;
  readonly topic: string;
  readonly strategy: "few_shot" | "message_variation" | "scenario_expansion" | "tool_chain" | "topic_description";
  readonly difficulty: "easy" | "hard" | "medium" | null;
  readonly fault: "duplicate_of_source" | "generation_error" | "invalid_structure" | "llm_artifact" | "near_duplicate" | "too_long" | "too_short" | null;
  readonly fault_words: string;
  readonly similarity: number;
  readonly source_record_id: string | null;
  readonly shown: number;
  readonly shared: readonly ShownMessage[];
  readonly before: readonly ShownMessage[];
  readonly after: readonly ShownMessage[];
  readonly was: readonly Piece[];
  readonly wrote: readonly Piece[];
  readonly output: readonly ShownMessage[];
  readonly tools: readonly string[];
  readonly basis: string;
  readonly repeats: Repeated | null;
}

export interface Piece {
  readonly text: string;
  readonly differs: boolean;
}

export interface Repeated {
  readonly words: string;
  readonly text: string;
  readonly candidate: number | null;
}

export interface GenerationConfig {
  readonly source: "gaps" | "selected" | "topics";
  readonly topics: readonly string[];
  readonly selection: Selection | null;
  readonly records_per_topic: number;
  readonly strategy: "few_shot" | "message_variation" | "scenario_expansion" | "tool_chain" | "topic_description" | null;
  readonly variations_per_record: number;
  readonly preserve_intent: boolean;
  readonly temperature: number;
  readonly max_synthetic_ratio: number;
  readonly min_length: number;
  readonly max_length: number;
  readonly near_duplicate_threshold: number;
  readonly retries: number;
  readonly examples: number;
  readonly candidates_per_request: number;
  readonly difficulty: DifficultyMix;
  readonly scenario: string;
  readonly aspects: readonly string[];
  readonly tools: readonly string[];
  readonly whole_exchange: boolean;
  readonly seed: number;
}

export interface DifficultyMix {
  readonly easy: number;
  readonly medium: number;
  readonly hard: number;
}

export interface CandidateLine {
  readonly id: number;
  readonly text: string;
  readonly fault_words: string;
}

export interface GenerateOptions {
  readonly config: GenerationConfig;
  readonly strategies: readonly StrategyChoice[];
  readonly topics: readonly string[];
}

export interface StrategyChoice {
  readonly name: "few_shot" | "message_variation" | "scenario_expansion" | "tool_chain" | "topic_description";
  readonly words: string;
}

export interface OpenBatch {
  readonly view: BatchView | null;
}

export interface BatchView {
  readonly state: BatchState;
  readonly groups: readonly CandidateGroup[];
  readonly spent: Spent | null;
}

export interface BatchState {
  readonly id: string;
  readonly number: number;
  readonly status: "closed" | "review" | "running";
  readonly plan: GenerationPlan;
  readonly model: string;
  readonly job_id: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly topics: readonly TopicProgress[];
  readonly candidates: number;
  readonly good: number;
  readonly open: number;
  readonly open_good: number;
  readonly accepted: number;
  readonly discarded: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly diversity: number | null;
  readonly recorded_diversity: number | null;
}

export interface GenerationPlan {
  readonly config: GenerationConfig;
  readonly topics: readonly TopicPlan[];
  readonly total: number;
  readonly wanted: number;
  readonly room: number;
  readonly synthetic_share: number;
  readonly balance_before: number | null;
  readonly balance_after: number | null;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly estimate: WorkEstimate | null;
}

export interface TopicPlan {
  readonly topic: string;
  readonly current: number;
  readonly target_percentage: number;
  readonly wanted: number;
  readonly to_generate: number;
  readonly strategy: "few_shot" | "message_variation" | "scenario_expansion" | "tool_chain" | "topic_description";
}

export interface TopicProgress {
  readonly topic: string;
  readonly strategy: "few_shot" | "message_variation" | "scenario_expansion" | "tool_chain" | "topic_description";
  readonly to_generate: number;
  readonly good: number;
  readonly faulty: number;
  readonly accepted: number;
  readonly discarded: number;
}

export interface CandidateGroup {
  readonly topic: string;
  readonly strategy: "few_shot" | "message_variation" | "scenario_expansion" | "tool_chain" | "topic_description";
  readonly ids: readonly number[];
  readonly faulty: readonly number[];
}

export interface Spent {
  readonly calls: number;
  readonly cost_micro_usd: number | null;
}

export interface GraderCheck {
  readonly grader: Readonly<Record<string, unknown>> | null;
  readonly hash: string | null;
  readonly problems: readonly GraderProblem[];
  readonly missing: readonly string[];
}

export interface GraderProblem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly where: string;
  readonly line: number | null;
  readonly column: number | null;
}

export interface GraderView {
  readonly versions: readonly GraderVersionView[];
  readonly fields: GraderFields;
  readonly variables: readonly TemplateVariable[];
  readonly presets: readonly PresetView[];
  readonly starts: readonly GraderStart[];
  readonly schema: string;
  readonly targets: readonly ExportTarget[];
}

export interface GraderVersionView {
  readonly version: number;
  readonly hash: string;
  readonly created_at: string;
  readonly in_use: boolean;
  readonly grader: Readonly<Record<string, unknown>>;
  readonly connection: ModelConnection | string | readonly string[] | null;
}

export interface GraderFields {
  readonly records: number;
  readonly item: readonly ItemField[];
  readonly labels: readonly string[];
}

export interface ItemField {
  readonly name: string;
  readonly records: number;
  readonly example: string;
}

export interface TemplateVariable {
  readonly name: string;
  readonly detail: string;
}

export interface PresetView {
  readonly name: "conciseness" | "correctness" | "format" | "tool_use";
  readonly title: string;
  readonly parts: string;
  readonly needs_model: boolean;
}

export interface GraderStart {
  readonly type: "label_model" | "multi" | "python" | "score_model" | "string_check" | "text_similarity";
  readonly grader: Readonly<Record<string, unknown>>;
}

export interface ExportTarget {
  readonly name: string;
  readonly title: string;
  readonly entry: string;
}

export interface SavedGrader {
  readonly version: number;
  readonly hash: string;
  readonly stale: readonly string[];
}

export interface GraderResults {
  readonly test: TestView | null;
  readonly labels: ComparisonView | null;
  readonly versions: ComparisonView | null;
}

export interface TestView {
  readonly hash: string;
  readonly rows: readonly GradedRow[];
  readonly mean: number | null;
  readonly std: number | null;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly failures: number;
  readonly differentiates: boolean;
  readonly sentence: string;
}

export interface GradedRow {
  readonly record_id: string;
  readonly topic: string | null;
  readonly prompt: string;
  readonly response: string;
  readonly reward: number | null;
  readonly raw_reward: number | null;
  readonly parts: readonly NamedReward[];
  readonly reasoning: string | null;
  readonly error: string | null;
  readonly flags: readonly string[];
}

export interface NamedReward {
  readonly name: string;
  readonly reward: number | null;
}

export interface ComparisonView {
  readonly hash: string;
  readonly against: string;
  readonly sentence: string;
  readonly figures: readonly ComparedFigure[];
  readonly topics: readonly TopicChangeView[];
}

export interface ComparedFigure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

export interface TopicChangeView {
  readonly topic: string | null;
  readonly before: number;
  readonly after: number;
  readonly difference: string;
  readonly verdict: string;
  readonly n: number;
}

export interface ShownAnswer {
  readonly record_id: string;
  readonly prompt: readonly ShownMessage[];
  readonly answer: readonly ShownMessage[];
  readonly tools: readonly ShownTool[];
}

export interface LabelBatch {
  readonly done: number;
  readonly record_ids: readonly string[];
}

export interface TrustCard {
  readonly level: "care" | "not_trusted" | "too_few" | "trusted" | "unclear";
  readonly sentence: string;
  readonly findings: readonly TrustFinding[];
  readonly grader: string;
  readonly version: number | null;
  readonly hash: string;
  readonly labels: number;
  readonly clusters: number;
  readonly labellers: readonly LabellerCount[];
  readonly scale: "five" | "pass_fail";
  readonly steps: readonly string[];
  readonly threshold: number;
  readonly passed: Confusion;
  readonly weighted_kappa: Interval | null;
  readonly rank_correlation: Interval | null;
  readonly ordering: Interval | null;
  readonly constant_score: number | null;
  readonly more_labels: number | null;
  readonly cells: readonly ConfusionCell[];
  readonly disagreements: readonly Disagreement[];
  readonly raters: readonly RaterPair[];
  readonly fit: ThresholdAdvice | null;
  readonly consistency: SelfConsistency | null;
  readonly order_swap: OrderSwap | null;
  readonly against: VersionOnLabels | null;
  readonly unscored: number;
  readonly first_error: string | null;
  readonly stale: number;
  readonly disputed: number;
}

export interface TrustFinding {
  readonly tone: "bad" | "good" | "note" | "warn";
  readonly sentence: string;
}

export interface LabellerCount {
  readonly labeller: string;
  readonly labels: number;
}

export interface Confusion {
  readonly agreement: Interval;
  readonly kappa: Interval;
  readonly base_rate: Interval;
  readonly constant_baseline: Interval;
  readonly gain: Interval;
  readonly recall: readonly (Interval | null)[];
  readonly constant_label: number;
  readonly n: number;
  readonly clusters: number;
}

export interface Interval {
  readonly estimate: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly level: number;
  readonly n: number;
  readonly clusters: number;
  readonly method: "bayesian" | "bca" | "max_t" | "percentile";
}

export interface ConfusionCell {
  readonly grader: number;
  readonly human: number;
  readonly count: number;
  readonly record_ids: readonly string[];
}

export interface Disagreement {
  readonly record_id: string;
  readonly prompt: string;
  readonly response: string;
  readonly score: number;
  readonly reasoning: string | null;
  readonly human: number;
  readonly labels: readonly PersonLabel[];
}

export interface PersonLabel {
  readonly labeller: string;
  readonly words: string;
  readonly note: string;
}

export interface RaterPair {
  readonly first: string;
  readonly second: string;
  readonly agreement: Interval;
  readonly kappa: Interval;
  readonly weighted_kappa: Interval | null;
  readonly n: number;
}

export interface ThresholdAdvice {
  readonly cut: Interval;
  readonly kappa: number;
  readonly tried_agreement: Interval;
  readonly tried_kappa: Interval;
  readonly change: PairedDifference;
  readonly sentence: string;
}

export interface PairedDifference {
  readonly before_mean: number;
  readonly after_mean: number;
  readonly difference: Interval;
  readonly relative: Interval | null;
  readonly p_value: number;
  readonly verdict: "improved" | "no_clear_change" | "regressed";
  readonly n: number;
  readonly clusters: number;
}

export interface SelfConsistency {
  readonly repeats: number;
  readonly answers: number;
  readonly equal: Interval;
  readonly difference: Interval;
  readonly sentence: string;
}

export interface OrderSwap {
  readonly pairs: number;
  readonly failed: number;
  readonly same: Interval;
  readonly first: Interval;
  readonly sentence: string;
}

export interface VersionOnLabels {
  readonly version: number;
  readonly agreement: Interval;
  readonly kappa: Interval;
  readonly change: PairedDifference;
  readonly sentence: string;
}

export interface LabelImport {
  readonly imported: number;
  readonly without: number;
  readonly labeller: string;
}

export interface LabellingView {
  readonly labellers: readonly LabellerCount[];
  readonly fields: readonly string[];
  readonly versions: readonly KnownVersion[];
  readonly wanted: number;
  readonly pass_fail: readonly string[];
  readonly five: readonly string[];
}

export interface KnownVersion {
  readonly version: number;
  readonly name: string;
  readonly in_use: boolean;
  readonly asks_model: boolean;
}

export interface RunComparison {
  readonly overall: PairedDifference;
  readonly topics: readonly TopicChange[];
  readonly matched: number;
  readonly unscored: number;
  readonly only_before: number;
  readonly only_after: number;
}

export interface TopicChange {
  readonly topic: string | null;
  readonly difference: PairedDifference;
  readonly adjusted_p_value: number;
  readonly verdict: "improved" | "no_clear_change" | "regressed";
}

export interface DryRunView {
  readonly blocked_by: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" | null;
  readonly grader: string;
  readonly runs: readonly RunLine[];
  readonly shown: ShownRun | null;
  readonly cut_off: CutOffRun | null;
}

export interface RunLine {
  readonly id: string;
  readonly started_at: string;
  readonly config: DryRunConfig;
  readonly grader_version: number;
  readonly verdict: "CAUTION" | "GO" | "NO_GO" | null;
  readonly mean: number | null;
  readonly answers: number | null;
}

export interface DryRunConfig {
  readonly n: number;
  readonly k: number;
  readonly seed: number;
  readonly probes: boolean;
  readonly answers: "model" | "recorded";
  readonly model: string;
  readonly asked: string;
  readonly temperature: number | null;
  readonly max_tokens: number | null;
}

export interface ShownRun {
  readonly id: string;
  readonly started_at: string;
  readonly config: DryRunConfig;
  readonly grader_version: number;
  readonly report: DryRunReport;
  readonly bins: readonly ScoreBin[];
  readonly topics: readonly TopicOfRun[];
  readonly lowest: RecordsPreset;
  readonly changes: readonly string[];
  readonly answered: string;
  readonly call: string;
}

export interface DryRunReport {
  readonly verdict: "CAUTION" | "GO" | "NO_GO";
  readonly reasons: readonly string[];
  readonly checks: readonly Check[];
  readonly scores: Description | null;
  readonly mean: Interval | null;
  readonly topics: readonly TopicScores[];
  readonly repeats: RepeatScores | null;
  readonly probes: readonly Probe[];
  readonly more_samples: number | null;
  readonly dataset_quality: "attention" | "good" | "problem";
  readonly grader_quality: "attention" | "good" | "problem";
  readonly fix_first: string;
  readonly best: readonly GradedAnswer[];
  readonly worst: readonly GradedAnswer[];
  readonly middle: readonly GradedAnswer[];
  readonly excluded: Readonly<Record<string, number>>;
  readonly answers: number;
  readonly planned: number;
  readonly failures: readonly FailureGroup[];
  readonly answered_by: AnsweredBy | null;
}

export interface Check {
  readonly name: string;
  readonly level: "fail" | "good" | "warn";
  readonly about: "data" | "grader" | "sample";
  readonly value: number | null;
  readonly sentence: string;
  readonly bound: string;
  readonly is_share: boolean;
}

export interface Description {
  readonly n: number;
  readonly mean: number;
  readonly std: number;
  readonly minimum: number;
  readonly p10: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly p90: number;
  readonly maximum: number;
  readonly share_above_zero: number;
  readonly share_one: number;
  readonly most_common: number;
  readonly most_common_share: number;
  readonly histogram: readonly number[];
  readonly outside: number;
}

export interface TopicScores {
  readonly topic: string | null;
  readonly count: number;
  readonly mean: Interval;
}

export interface RepeatScores {
  readonly prompts: number;
  readonly mixed_share: number;
  readonly unvaried_prompts: number;
  readonly pass_at: Readonly<Record<string, number>>;
  readonly pass_hat: Readonly<Record<string, number>>;
  readonly variance: VarianceComponents;
}

export interface VarianceComponents {
  readonly between: number | null;
  readonly within: number | null;
  readonly intraclass_correlation: number | null;
  readonly prompts: number;
  readonly scores: number;
}

export interface Probe {
  readonly name: "echo" | "empty" | "filler" | "injection" | "refusal" | "repeat" | "shuffled";
  readonly passed: boolean | null;
  readonly value: number | null;
  readonly graded: number;
  readonly failed: number;
  readonly sentence: string;
  readonly bound: string;
}

export interface GradedAnswer {
  readonly record_id: string;
  readonly prompt_key: string;
  readonly repeat: number;
  readonly prompt: string;
  readonly response: string;
  readonly status: "failed_answer" | "failed_grading" | "graded";
  readonly cluster?: string | null;
  readonly topic?: string | null;
  readonly reward?: number | null;
  readonly raw_reward?: number | null;
  readonly sub_rewards?: Readonly<Record<string, number | null>>;
  readonly reasoning?: string | null;
  readonly out_of_range?: boolean;
  readonly error?: string | null;
  readonly errors?: GradingErrors;
  readonly isolation?: string | null;
  readonly tokens?: number | null;
  readonly output?: readonly Message[];
  readonly ending?: "called_tools" | "cut_off" | "empty" | "filtered" | "refused" | "whole" | null;
  readonly model?: string | null;
}

export interface GradingErrors {
  readonly formula_parse_error?: boolean;
  readonly sample_parse_error?: boolean;
  readonly truncated_observation_error?: boolean;
  readonly unresponsive_reward_error?: boolean;
  readonly invalid_variable_error?: boolean;
  readonly other_error?: boolean;
  readonly python_grader_server_error?: boolean;
  readonly python_grader_server_error_type?: string | null;
  readonly python_grader_runtime_error?: boolean;
  readonly python_grader_runtime_error_details?: string | null;
  readonly model_grader_server_error?: boolean;
  readonly model_grader_server_error_details?: string | null;
  readonly model_grader_refusal_error?: boolean;
  readonly model_grader_parse_error?: boolean;
}

export interface Message {
  readonly role: string;
  readonly content?: string | readonly Readonly<Record<string, unknown>>[] | null;
  readonly name?: string | null;
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string | null;
  readonly "rft_widgets.extra"?: Readonly<Record<string, unknown>>;
}

export interface ToolCall {
  readonly type: string;
  readonly id?: string | null;
  readonly function?: FunctionCall | null;
  readonly "rft_widgets.extra"?: Readonly<Record<string, unknown>>;
}

export interface FunctionCall {
  readonly name: string;
  readonly arguments: string;
  readonly "rft_widgets.extra"?: Readonly<Record<string, unknown>>;
}

export interface FailureGroup {
  readonly status: "failed_answer" | "failed_grading" | "graded";
  readonly error: string;
  readonly flags: readonly string[];
  readonly count: number;
  readonly example: GradedAnswer;
}

export interface AnsweredBy {
  readonly connection: string;
  readonly asked: string;
  readonly models: readonly string[];
  readonly temperature: number | null;
  readonly max_tokens: number | null;
  readonly endings: Readonly<Record<string, number>>;
  readonly failed: number;
}

export interface ScoreBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  readonly where: RecordFilter;
  readonly words: string;
}

export interface TopicOfRun {
  readonly is_low: boolean;
  readonly opens: RecordsPreset;
}

export interface CutOffRun {
  readonly id: string;
  readonly config: DryRunConfig;
  readonly started_at: string;
  readonly graded: number;
  readonly obstacle: string | null;
}

export interface DryRunEstimate {
  readonly available: number;
  readonly several: number;
  readonly prompts: number;
  readonly answers: number;
  readonly excluded: Readonly<Record<string, number>>;
  readonly probe_gradings: number;
  readonly judge_calls: number;
  readonly seconds: number | null;
  readonly cost_micro_usd: number | null;
  readonly notes: readonly string[];
  readonly not_ready: string | null;
  readonly rollouts: WorkEstimate | null;
  readonly judging: WorkEstimate | null;
}

export interface ScoresSoFar {
  readonly run: string;
  readonly started_at: string;
  readonly scored: number;
  readonly failed: number;
  readonly mean: number | null;
  readonly histogram: readonly number[];
  readonly last: number;
}

export interface CheckpointComparison {
  readonly job_id: string;
  readonly sentence: string;
  readonly suggested_step: number | null;
  readonly notes: readonly string[];
  readonly checkpoints: readonly CheckpointMeasure[];
  readonly topics: readonly TopicCheckpoint[];
  readonly best_step: number | null;
  readonly last_step: number;
  readonly served_step: number;
  readonly prompts: number;
  readonly seed: number;
  readonly level: number;
  readonly length_unit: "characters" | "tokens";
  readonly left_out: readonly number[];
  readonly grader_version: number;
  readonly grader_hash: string;
}

export interface CheckpointMeasure {
  readonly step: number;
  readonly is_served: boolean;
  readonly reward: Interval | null;
  readonly answers: number;
  readonly no_answer: number;
  readonly failed_gradings: number;
  readonly empty: number;
  readonly refusals: number;
  readonly length: Interval | null;
  readonly cost_micro_usd: number | null;
  readonly seconds: number | null;
  readonly against_reference: JointDifference | null;
  readonly against_best: JointDifference | null;
  readonly against_last: JointDifference | null;
  readonly probes: readonly AnswerProbe[];
}

export interface JointDifference {
  readonly before_mean: number;
  readonly after_mean: number;
  readonly difference: Interval;
  readonly p_value: number;
  readonly adjusted_p_value: number;
  readonly verdict: "improved" | "no_clear_change" | "regressed";
  readonly n: number;
  readonly clusters: number;
  readonly changed: number;
}

export interface AnswerProbe {
  readonly name: "echo" | "identical" | "length" | "repetition" | "reward_by_length";
  readonly value: number | null;
  readonly reference: number | null;
  readonly flagged: boolean;
  readonly sentence: string;
}

export interface TopicCheckpoint {
  readonly topic: string | null;
  readonly step: number;
  readonly difference: JointDifference;
}

export interface TrainingSetup {
  readonly trainers: readonly TrainerInfo[];
  readonly data: TrainingMaterial;
  readonly readiness: TrainingReadiness;
  readonly config: TrainingConfig;
  readonly runs: readonly TrainingRunRow[];
}

export interface TrainerInfo {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly needs: string;
  readonly base_model: string;
  readonly capabilities: TrainerCapabilities;
  readonly base_models: readonly string[];
  readonly needs_base_model: boolean;
  readonly needs_connection: boolean;
  readonly hyperparameters: readonly HyperparameterField[];
  readonly settings: readonly SettingField[];
  readonly missing: string;
}

export interface TrainerCapabilities {
  readonly grader_runs: "here" | "service";
  readonly graders: readonly string[];
  readonly pauses: boolean;
  readonly survives_restart: boolean;
  readonly rollouts: boolean;
  readonly checkpoints: boolean;
  readonly measures: boolean;
  readonly tools: boolean;
  readonly serving: string;
}

export interface HyperparameterField {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly default: number | string | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly is_whole: boolean;
  readonly choices: readonly string[];
}

export interface SettingField {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly example: string;
  readonly is_required: boolean;
}

export interface TrainingMaterial {
  readonly valid_records: number;
  readonly invalid_records: number;
  readonly generated_records: number;
  readonly topics: number;
  readonly balance_score: number | null;
  readonly grader: string;
  readonly grader_version: number | null;
  readonly asks_model: boolean;
  readonly dry_run: string;
}

export interface TrainingReadiness {
  readonly blocked: string | null;
  readonly no_go: string | null;
  readonly warnings: readonly string[];
}

export interface TrainingConfig {
  readonly trainer: string;
  readonly base_model: string | null;
  readonly connection: string | null;
  readonly train_ratio: number;
  readonly stratify_by_topic: boolean;
  readonly include_generated_in_valid: boolean;
  readonly seed: number;
  readonly max_cost_usd: number | null;
  readonly hyperparameters: Readonly<Record<string, number | number | string | null>>;
  readonly settings: Readonly<Record<string, string>>;
}

export interface TrainingRunRow {
  readonly id: string;
  readonly status: "cancelled" | "completed" | "failed" | "paused" | "pending" | "running";
  readonly was_killed: boolean;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly trainer: string;
  readonly base_model: string | null;
  readonly n_epochs: number;
  readonly grader_version: number;
  readonly data: string;
  readonly outcome: "improved" | "no_clear_change" | "no_learning" | "not_measured" | "regressed" | null;
  readonly summary: string;
}

export interface TrainingRunView {
  readonly run: TrainingRunRow;
  readonly config: TrainingConfig;
  readonly train_records: number;
  readonly valid_records: number;
  readonly requested: "" | "cancel" | "pause";
  readonly progress: TrainingProgress | null;
  readonly curve: readonly CurvePoint[];
  readonly eta_s: number | null;
  readonly cost_micro_usd: number | null;
  readonly report: TrainingReport | null;
  readonly checkpoints: readonly Checkpoint[];
  readonly served_step: number | null;
  readonly rollout_steps: readonly number[];
  readonly error: string | null;
  readonly log: readonly LogLine[];
  readonly log_lines: number;
}

export interface TrainingProgress {
  readonly phase: "done" | "evaluating" | "grading" | "preparing" | "training";
  readonly share: number;
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly gradings: number;
  readonly message: string;
  readonly point: CurvePoint | null;
  readonly curve: readonly CurvePoint[];
  readonly elapsed_s: number | null;
  readonly cost_micro_usd: number | null;
}

export interface CurvePoint {
  readonly step: number;
  readonly epoch: number;
  readonly train_reward: number | null;
  readonly selection: Interval | null;
  readonly valid: Interval | null;
  readonly kl: number | null;
  readonly entropy: number | null;
  readonly clip_share: number | null;
  readonly flat_share: number | null;
  readonly completion_tokens: number | null;
  readonly step_s: number | null;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface TrainingReport {
  readonly outcome: "improved" | "no_clear_change" | "no_learning" | "not_measured" | "regressed";
  readonly summary: string;
  readonly notes: readonly string[];
  readonly overfitting: boolean;
  readonly kept_reference: boolean;
  readonly served_step: number;
  readonly change: PairedDifference | null;
  readonly topics: readonly TopicChange[];
  readonly selection_change: PairedDifference | null;
  readonly recorded: Interval | null;
  readonly against_recorded: PairedDifference | null;
  readonly excluded: Excluded;
  readonly curve: readonly CurvePoint[];
  readonly examples: readonly TrainingExample[];
  readonly fit_prompts: number;
  readonly selection_prompts: number;
  readonly valid_prompts: number;
  readonly gradings: number;
  readonly weights: Readonly<Record<string, number>>;
  readonly pool: number;
  readonly baseline: string;
}

export interface Excluded {
  readonly no_candidate: number;
  readonly failed_grading: number;
}

export interface TrainingExample {
  readonly record_id: string;
  readonly prompt: string;
  readonly baseline_answer: string;
  readonly baseline_reward: number;
  readonly tuned_answer: string;
  readonly tuned_reward: number;
}

export interface Checkpoint {
  readonly step: number;
  readonly weights: readonly number[];
  readonly model: string;
  readonly selection_reward: number | null;
  readonly valid_reward: number | null;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface PlannedTraining {
  readonly train: number;
  readonly valid: number;
  readonly groups: number;
  readonly topics: readonly TopicSplit[];
  readonly notes: readonly string[];
  readonly estimate: TrainingEstimate | null;
  readonly refusal: Problem | null;
}

export interface TopicSplit {
  readonly topic: string | null;
  readonly train: number;
  readonly valid: number;
}

export interface TrainingEstimate {
  readonly seconds: number | null;
  readonly basis: string;
  readonly gradings: number;
  readonly cost_micro_usd: number | null;
  readonly cost_basis: string;
}

export interface RolloutPage {
  readonly step: number;
  readonly rollouts: readonly TrainingRollout[];
  readonly total: number;
}

export interface TrainingRollout {
  readonly step: number;
  readonly record_id: string;
  readonly prompt: string;
  readonly answer: string;
  readonly reward: number | null;
  readonly advantage: number | null;
  readonly completion_tokens: number | null;
}

export interface DeployOverview {
  readonly models: readonly TrainedModel[];
  readonly deployments: readonly DeploymentView[];
  readonly model_name: string;
}

export interface TrainedModel {
  readonly job: string;
  readonly created_at: string;
  readonly trainer: string;
  readonly base_model: string | null;
  readonly serving: string;
  readonly problem: string;
  readonly outcome: "improved" | "no_clear_change" | "no_learning" | "not_measured" | "regressed";
  readonly served_step: number;
  readonly own_step: number;
  readonly checkpoints: readonly CheckpointChoice[];
  readonly kept_reference: boolean;
  readonly change: PairedDifference | null;
  readonly against_recorded: PairedDifference | null;
  readonly benchmark: Benchmark | null;
}

export interface CheckpointChoice {
  readonly step: number;
  readonly reward: number | null;
}

export interface Benchmark {
  readonly change: PairedDifference | null;
  readonly topics: readonly TopicChange[];
  readonly excluded: Excluded;
  readonly base_latency_s: number | null;
  readonly tuned_latency_s: number | null;
  readonly sentence: string;
  readonly checkpoint: number | null;
}

export interface DeploymentView {
  readonly id: string;
  readonly mode: "ab_test" | "new_endpoint" | "replace";
  readonly status: "active" | "rolled_back";
  readonly model: string;
  readonly base_model: string;
  readonly ratio: number;
  readonly upstream: string | null;
  readonly keep_exchanges: boolean;
  readonly job: string;
  readonly checkpoint: number | null;
  readonly created_at: string;
  readonly rolled_back_at: string | null;
  readonly served: "not_served" | "served" | "starting";
  readonly by_worker: boolean;
  readonly said: string;
  readonly base_url: string | null;
  readonly snippet: string | null;
  readonly arms: readonly ServedArm[];
  readonly outcome: DeploymentOutcome | null;
}

export interface ServedArm {
  readonly arm: string;
  readonly requests: number;
  readonly failed: number;
  readonly mean_duration_s: number | null;
}

export interface DeploymentOutcome {
  readonly tuned: ArmOutcome;
  readonly base: ArmOutcome;
  readonly difference: IndependentDifference | null;
  readonly sentence: string;
}

export interface ArmOutcome {
  readonly arm: string;
  readonly reward: Interval | null;
  readonly graded: number;
  readonly failed_gradings: number;
}

export interface IndependentDifference {
  readonly before_mean: number;
  readonly after_mean: number;
  readonly difference: Interval;
  readonly verdict: "improved" | "no_clear_change" | "regressed";
  readonly before_n: number;
  readonly after_n: number;
  readonly before_clusters: number;
  readonly after_clusters: number;
}

export interface PlayedPair {
  readonly base: PlayedAnswer;
  readonly tuned: PlayedAnswer;
}

export interface PlayedAnswer {
  readonly text: string;
  readonly source_record_id: string | null;
  readonly similarity: number | null;
  readonly reward: number | null;
  readonly error: string | null;
  readonly latency_s: number | null;
  readonly tokens: number | null;
}

export interface PlaygroundPrompt {
  readonly record_id: string;
  readonly text: string;
  readonly topic: string | null;
}

export interface RevealedToken {
  readonly token: string;
  readonly snippet: string;
}

export interface ImportView {
  readonly records: number;
  readonly upload: UploadState | null;
  readonly check: FileCheck | null;
  readonly unfinished: ImportInfo | null;
  readonly others: readonly ImportInfo[];
  readonly result: Imported | null;
  readonly piece_bytes: number;
  readonly max_bytes: number;
}

export interface Imported {
  readonly import_id: string;
  readonly name: string;
  readonly mode: "append" | "replace";
  readonly lines: number;
  readonly imported: number;
  readonly valid: number;
  readonly invalid: number;
  readonly duplicates: number;
  readonly refused: number;
}

export interface ImportedTopics {
  readonly leaves: number;
  readonly kept: number;
  readonly lost: number;
}

export interface FoundTopics {
  readonly topics: number;
  readonly leaves: number;
  readonly depth: number;
  readonly shown: readonly FoundTopic[];
  readonly more: number;
  readonly impact: TopicsImpact;
}

export interface FoundTopic {
  readonly name: string;
  readonly level: number;
  readonly description: string;
  readonly below: number;
}

export interface TopicsImpact {
  readonly replaced: number;
  readonly labelled: number;
  readonly by_hand: number;
  readonly kept: number;
  readonly kept_by_hand: number;
}

export interface Code {
  readonly sha: string;
  readonly code: string;
  readonly css: string;
}

export type DialogName = "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training";

export interface AppTraits {
  readonly jobs: readonly JobLine[];
  readonly revision: number;
}

export interface AppCalls {
  attach: { params: { readonly view: string }; result: null };
  connections: { params: Record<string, never>; result: readonly ConnectionView[] };
  delete_dataset: { params: { readonly dataset: string }; result: null };
  detach: { params: { readonly view: string }; result: null };
  drop_download: { params: { readonly download: string }; result: null };
  duplicate_dataset: { params: { readonly dataset: string }; result: string };
  export_dataset: { params: { readonly dataset: string }; result: Download };
  job_costs: { params: Record<string, never>; result: Readonly<Record<string, CallTotals>> };
  job_log: { params: { readonly job: string }; result: readonly LogLine[] };
  list_datasets: { params: { readonly search?: string; readonly status?: "attention" | "complete" | "in_progress" | "training" | null; readonly sort?: "name" | "records" | "updated" }; result: readonly DatasetCard[] };
  load_sample: { params: Record<string, never>; result: string };
  open_create: { params: Record<string, never>; result: string };
  open_dataset: { params: { readonly dataset: string }; result: string };
  read_download: { params: { readonly download: string; readonly offset: number }; result: DataView };
  remove_connection: { params: { readonly name: string }; result: null };
  retry_job: { params: { readonly job: string }; result: null };
  save_connection: { params: { readonly named: NamedConnection }; result: null };
  stop_job: { params: { readonly job: string }; result: null };
  test_connection: { params: { readonly name: string }; result: ConnectionTest };
}

export interface DatasetPageTraits {
  readonly activity: string;
  readonly height: number;
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly problem: Problem | null;
  readonly report: HealthReport | null;
  readonly revision: number;
  readonly state: PipelineState | null;
}

export interface DatasetPageCalls {
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  download_records: { params: { readonly file_format: "csv" | "jsonl" | "training" }; result: Download };
  download_topics: { params: Record<string, never>; result: Download };
  drop_download: { params: { readonly download: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  read_download: { params: { readonly download: string; readonly offset: number }; result: DataView };
  reset_pipeline: { params: Record<string, never>; result: null };
  save_settings: { params: { readonly seen: DatasetInfo; readonly name?: string | null; readonly objective?: string | null }; result: DatasetInfo };
  settings: { params: Record<string, never>; result: DatasetSettings };
}

export interface CreatePageTraits {
  readonly file: FileState;
  readonly file_pattern: PatternState;
  readonly revision: number;
  readonly scan: ScanState | null;
  readonly traces_pattern: PatternState;
}

export interface CreatePageCalls {
  attach: { params: { readonly view: string }; result: null };
  begin_upload: { params: { readonly name: string; readonly size: number }; result: UploadState };
  check_upload: { params: { readonly upload: string }; result: null };
  clear_picked: { params: Record<string, never>; result: null };
  create: { params: { readonly of: "file" | "traces"; readonly name: string; readonly objective: string; readonly query?: TraceQuery | null }; result: string };
  detach: { params: { readonly view: string }; result: null };
  download_issues: { params: { readonly file_format: "csv" | "json" }; result: Download };
  drop_download: { params: { readonly download: string }; result: null };
  drop_upload: { params: Record<string, never>; result: null };
  list_traces: { params: { readonly query: TraceQuery; readonly start: number; readonly count: number }; result: TracePage };
  load_check: { params: Record<string, never>; result: FileCheck | null };
  load_issues: { params: Record<string, never>; result: readonly LineIssue[] };
  open_source: { params: { readonly location: string; readonly name?: string }; result: null };
  pick_matching: { params: { readonly query: TraceQuery; readonly on: boolean }; result: null };
  pick_traces: { params: { readonly numbers: readonly number[]; readonly on: boolean }; result: null };
  put_piece: { params: { readonly upload: string; readonly offset: number }; result: null };
  read_download: { params: { readonly download: string; readonly offset: number }; result: DataView };
  refresh_traces: { params: Record<string, never>; result: null };
  resume_upload: { params: { readonly upload: string }; result: UploadState };
  sources: { params: Record<string, never>; result: SourcesView };
}

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
  download_records: { params: { readonly file_format: "csv" | "jsonl" | "training" }; result: Download };
  download_topics: { params: Record<string, never>; result: Download };
  drop_download: { params: { readonly download: string }; result: null };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  read_download: { params: { readonly download: string; readonly offset: number }; result: DataView };
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
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
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
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  view_issues: { params: Record<string, never>; result: null };
}

export interface RecordsGridTraits {
  readonly height: number;
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface RecordsGridCalls {
  assign_topic: { params: { readonly selection: Selection; readonly topic: string | null }; result: number };
  attach: { params: { readonly view: string }; result: null };
  begin_edit: { params: { readonly record: string }; result: EditedRecord };
  cancel_job: { params: { readonly job: string }; result: boolean };
  check_edit: { params: { readonly record: string; readonly texts: RecordTexts }; result: TextCheck };
  confirm_topic: { params: { readonly record: string }; result: string };
  context: { params: Record<string, never>; result: GridContext };
  delete: { params: { readonly selection: Selection }; result: Deletion };
  detach: { params: { readonly view: string }; result: null };
  drop_download: { params: { readonly download: string }; result: null };
  estimate_evaluate: { params: { readonly selection: Selection }; result: WorkEstimate | null };
  evaluate: { params: { readonly selection: Selection; readonly max_cost_usd?: number | null }; result: JobState };
  export: { params: { readonly selection: Selection; readonly file_format: "csv" | "jsonl" | "training" }; result: Download };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  read_download: { params: { readonly download: string; readonly offset: number }; result: DataView };
  record: { params: { readonly record: string }; result: RecordDetail };
  rows: { params: { readonly where: RecordFilter; readonly sort: "-messages" | "-position" | "-score" | "-topic" | "-updated" | "-valid" | "messages" | "position" | "score" | "topic" | "updated" | "valid"; readonly start: number; readonly count: number; readonly revision?: number | null; readonly known?: number | null; readonly find?: string | null; readonly chosen?: RecordFilter | null }; result: RecordRows | null };
  save_edit: { params: { readonly record: string; readonly version: number; readonly texts: RecordTexts }; result: null };
  selection_size: { params: { readonly selection: Selection }; result: SelectionSize };
  undo_delete: { params: { readonly deletion: string }; result: number };
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
  discard_unfinished: { params: { readonly import_id: string }; result: number };
  download_issues: { params: { readonly import_id: string; readonly file_format: "csv" | "json" }; result: Download };
  drop_download: { params: { readonly download: string }; result: null };
  load: { params: Record<string, never>; result: RecordsView };
  load_issues: { params: { readonly import_id: string }; result: readonly LineIssue[] };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  read_download: { params: { readonly download: string; readonly offset: number }; result: DataView };
  start_pull: { params: Record<string, never>; result: JobState };
}

export interface TopicsDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface TopicsDialogCalls {
  add_topic: { params: { readonly parent: string; readonly name: string }; result: string };
  at_risk: { params: Record<string, never>; result: TopicsAtRisk };
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  categorize: { params: { readonly mode: "recategorize_all" | "unlabeled_only"; readonly model?: string | null; readonly instructions?: string; readonly max_cost_usd?: number | null }; result: null };
  confirm: { params: { readonly record_id: string; readonly topic: string }; result: string };
  delete_topic: { params: { readonly path: string; readonly into?: string | null }; result: string };
  describe_topic: { params: { readonly path: string; readonly description: string; readonly keywords: readonly string[] }; result: string };
  detach: { params: { readonly view: string }; result: null };
  estimate: { params: { readonly model: string; readonly mode?: "recategorize_all" | "unlabeled_only" }; result: TopicsEstimate };
  export: { params: { readonly form?: "flat" | "nested" }; result: string };
  load: { params: Record<string, never>; result: TopicsReport };
  merge_topics: { params: { readonly path: string; readonly into: string }; result: string };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  move_topic: { params: { readonly path: string; readonly parent: string; readonly position?: number | null }; result: string };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  regenerate: { params: { readonly method: "auto" | "template"; readonly template?: string | null; readonly n_topics?: number | null; readonly depth?: number | null; readonly model?: string | null; readonly categorize_model?: string | null; readonly instructions?: string; readonly max_cost_usd?: number | null }; result: null };
  rename_topic: { params: { readonly path: string; readonly name: string }; result: string };
  review: { params: { readonly order: "confidence" | "gain"; readonly limit: number }; result: readonly ReviewItem[] };
  split_topic: { params: { readonly path: string; readonly n_topics?: number | null }; result: null };
  templates: { params: Record<string, never>; result: readonly TopicTemplate[] };
  undo_confirm: { params: { readonly record_id: string }; result: string | null };
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
  follow: { params: { readonly targets: "traffic" | "uniform" }; result: null };
  load: { params: { readonly near_duplicates?: boolean }; result: CoverageReport };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  set_targets: { params: { readonly targets: readonly TopicPercent[] }; result: null };
  what_if: { params: { readonly added: readonly TopicCount[] }; result: CoverageReport };
}

export interface GenerateDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface GenerateDialogCalls {
  accept: { params: { readonly batch: string; readonly candidates: readonly number[] }; result: AcceptOutcome };
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  candidate: { params: { readonly batch: string; readonly candidate: number }; result: CandidateView };
  detach: { params: { readonly view: string }; result: null };
  discard: { params: { readonly batch: string; readonly candidates: readonly number[] }; result: number };
  generate: { params: { readonly config: GenerationConfig; readonly model: string; readonly max_cost_usd?: number | null }; result: JobState };
  lines: { params: { readonly batch: string; readonly candidates: readonly number[] }; result: readonly CandidateLine[] };
  load: { params: Record<string, never>; result: GenerateOptions };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_batch: { params: Record<string, never>; result: OpenBatch };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  plan: { params: { readonly config: GenerationConfig; readonly model?: string | null }; result: GenerationPlan };
  regenerate: { params: { readonly batch: string; readonly candidates: readonly number[]; readonly max_cost_usd?: number | null }; result: JobState };
  tools: { params: Record<string, never>; result: readonly string[] };
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
  check: { params: { readonly grader: string; readonly connection?: ModelConnection | string | readonly string[] | null }; result: GraderCheck };
  detach: { params: { readonly view: string }; result: null };
  drop_download: { params: { readonly download: string }; result: null };
  estimate: { params: { readonly grader: string; readonly connection?: ModelConnection | string | readonly string[] | null; readonly seed?: number }; result: WorkEstimate | null };
  export: { params: { readonly target: string; readonly grader: string; readonly connection?: ModelConnection | string | readonly string[] | null }; result: Download };
  load: { params: Record<string, never>; result: GraderView };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  panel: { params: { readonly grader: string; readonly connections?: readonly string[]; readonly repeats?: number; readonly combine?: "mean" | "median" }; result: Readonly<Record<string, unknown>> };
  preset: { params: { readonly name: "conciseness" | "correctness" | "format" | "tool_use"; readonly model?: string; readonly reference?: string; readonly required_fields?: readonly string[] }; result: Readonly<Record<string, unknown>> };
  read_download: { params: { readonly download: string; readonly offset: number }; result: DataView };
  restore: { params: { readonly version: number }; result: SavedGrader };
  results: { params: Record<string, never>; result: GraderResults };
  save: { params: { readonly grader: string; readonly connection?: ModelConnection | string | readonly string[] | null }; result: SavedGrader };
  start_comparison: { params: { readonly grader: string; readonly version: number; readonly connection?: ModelConnection | string | readonly string[] | null }; result: JobState };
  start_labels: { params: { readonly grader: string; readonly field: string; readonly connection?: ModelConnection | string | readonly string[] | null }; result: JobState };
  start_test: { params: { readonly grader: string; readonly connection?: ModelConnection | string | readonly string[] | null; readonly seed?: number }; result: JobState };
}

export interface LabellingDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface LabellingDialogCalls {
  answer: { params: { readonly record_id: string }; result: ShownAnswer };
  attach: { params: { readonly view: string }; result: null };
  batch: { params: { readonly labeller: string; readonly n?: number }; result: LabelBatch };
  cancel_job: { params: { readonly job: string }; result: boolean };
  card: { params: Record<string, never>; result: TrustCard | null };
  detach: { params: { readonly view: string }; result: null };
  estimate: { params: { readonly version?: number | null; readonly labeller?: string | null; readonly repeats?: number | null; readonly against?: number | null }; result: WorkEstimate | null };
  import_labels: { params: { readonly field: string; readonly scale?: "five" | "pass_fail" }; result: LabelImport };
  label: { params: { readonly record_id: string; readonly value: number; readonly labeller: string; readonly scale: "five" | "pass_fail"; readonly note?: string }; result: null };
  load: { params: Record<string, never>; result: LabellingView };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  start_card: { params: { readonly version?: number | null; readonly labeller?: string | null; readonly repeats?: number | null; readonly against?: number | null; readonly max_cost_usd?: number | null }; result: JobState };
  unlabel: { params: { readonly record_id: string; readonly labeller: string }; result: boolean };
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
  compare: { params: { readonly before: string; readonly after: string }; result: RunComparison };
  detach: { params: { readonly view: string }; result: null };
  load: { params: { readonly run?: string | null }; result: DryRunView };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  plan: { params: { readonly n: number; readonly k: number; readonly seed: number; readonly probes: boolean; readonly model?: string | null; readonly temperature?: number | null; readonly max_tokens?: number | null }; result: DryRunEstimate };
  report_json: { params: { readonly run: string }; result: string };
  resume: { params: { readonly max_cost_usd?: number | null }; result: JobState };
  so_far: { params: Record<string, never>; result: ScoresSoFar | null };
  start: { params: { readonly n: number; readonly k: number; readonly seed: number; readonly probes: boolean; readonly model?: string | null; readonly temperature?: number | null; readonly max_tokens?: number | null; readonly max_cost_usd?: number | null }; result: JobState };
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
  cancel: { params: { readonly job: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  card: { params: { readonly job: string }; result: string };
  choose_checkpoint: { params: { readonly job: string; readonly step?: number | null }; result: null };
  compare_checkpoints: { params: { readonly job: string; readonly max_cost_usd?: number | null }; result: null };
  comparison: { params: { readonly job: string }; result: CheckpointComparison | null };
  detach: { params: { readonly view: string }; result: null };
  download_card: { params: { readonly job: string; readonly file_format: "html" | "json" }; result: Download };
  drop_download: { params: { readonly download: string }; result: null };
  load: { params: Record<string, never>; result: TrainingSetup };
  load_run: { params: { readonly job: string }; result: TrainingRunView };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  pause: { params: { readonly job: string }; result: null };
  plan: { params: { readonly config: TrainingConfig }; result: PlannedTraining };
  read_download: { params: { readonly download: string; readonly offset: number }; result: DataView };
  resume: { params: { readonly job: string }; result: null };
  rollouts: { params: { readonly job: string; readonly step: number }; result: RolloutPage };
  train: { params: { readonly config: TrainingConfig; readonly despite_no_go: boolean }; result: string };
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
  deploy: { params: { readonly job: string; readonly mode: "ab_test" | "new_endpoint" | "replace"; readonly model?: string; readonly base_model?: string; readonly ratio?: number; readonly upstream_url?: string; readonly upstream_model?: string; readonly api_key_env?: string; readonly keep_exchanges?: boolean; readonly checkpoint?: number | null }; result: string };
  detach: { params: { readonly view: string }; result: null };
  load: { params: Record<string, never>; result: DeployOverview };
  measure: { params: { readonly job: string; readonly checkpoint?: number | null }; result: null };
  measure_outcome: { params: { readonly deployment: string }; result: null };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  play: { params: { readonly job: string; readonly text: string; readonly checkpoint?: number | null }; result: PlayedPair };
  play_record: { params: { readonly job: string; readonly record: string; readonly checkpoint?: number | null }; result: PlayedPair };
  prompts: { params: { readonly job: string }; result: readonly PlaygroundPrompt[] };
  reveal: { params: { readonly deployment: string }; result: RevealedToken };
  roll_back: { params: { readonly deployment: string }; result: null };
  start: { params: { readonly deployment: string }; result: null };
  stop: { params: { readonly deployment: string }; result: null };
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
  begin_upload: { params: { readonly name: string; readonly size: number }; result: UploadState };
  cancel_job: { params: { readonly job: string }; result: boolean };
  check_upload: { params: { readonly upload: string }; result: JobState };
  detach: { params: { readonly view: string }; result: null };
  discard_unfinished: { params: { readonly import_id: string }; result: number };
  download_issues: { params: { readonly file_format: "csv" | "json" }; result: Download };
  drop_download: { params: { readonly download: string }; result: null };
  leave: { params: { readonly upload?: string | null }; result: null };
  load: { params: Record<string, never>; result: ImportView };
  load_issues: { params: Record<string, never>; result: readonly LineIssue[] };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  put_piece: { params: { readonly upload: string; readonly offset: number }; result: null };
  read_download: { params: { readonly download: string; readonly offset: number }; result: DataView };
  reset: { params: Record<string, never>; result: null };
  start_import: { params: { readonly mode: "append" | "replace"; readonly resume?: boolean }; result: JobState };
}

export interface ImportTopicsDialogTraits {
  readonly jobs: readonly JobState[];
  readonly name: string;
  readonly node: PipelineNode | null;
  readonly problem: Problem | null;
  readonly revision: number;
}

export interface ImportTopicsDialogCalls {
  apply: { params: { readonly assignments: "clear" | "keep" }; result: ImportedTopics };
  attach: { params: { readonly view: string }; result: null };
  cancel_job: { params: { readonly job: string }; result: boolean };
  detach: { params: { readonly view: string }; result: null };
  models: { params: Record<string, never>; result: readonly ModelChoice[] };
  open_dialog: { params: { readonly dialog: "coverage" | "deploy" | "dry-run" | "generate" | "grader" | "import-records" | "import-topics" | "labelling" | "records" | "topics" | "training" }; result: string };
  open_records: { params: Record<string, never>; result: string };
  preview: { params: Record<string, never>; result: FoundTopics };
}

export interface BundleTraits {
  readonly sha: string;
}

export interface BundleCalls {
  get_code: { params: Record<string, never>; result: Code };
  get_editor: { params: Record<string, never>; result: string };
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
  "labelling": "Label Answers",
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
  "topic_limits": {
    "max_depth": 5,
    "max_name_chars": 200,
    "max_topics": 10000,
    "max_file_bytes": 10000000,
    "max_upload_bytes": 2000000
  },
  "clustering": {
    "max_chars": 1000,
    "sample_texts": 50000,
    "decomposition_texts": 20000,
    "axes": 128,
    "answer_axes": 64,
    "min_answered": 0.5,
    "foretold": 0.6,
    "max_features": 40000,
    "min_topics": 2,
    "max_topics": 30,
    "choice_texts": 2500,
    "enough_agreement": 0.8,
    "min_texts": 4,
    "default_depth": 2,
    "min_grouped_topics": 12,
    "grouping_silhouette": 0.1,
    "other_chance": 0.2,
    "keywords": 8,
    "examples": 10
  },
  "categorize": {
    "accept_keyword": 0.9,
    "accept_similarity": 0.7,
    "high_confidence": 0.8,
    "medium_confidence": 0.5,
    "axes": 256,
    "members_per_topic": 100,
    "max_members": 6000,
    "enough_measured": 10,
    "folds": 5,
    "regularization": 10.0,
    "trust_in_words": 8.0,
    "few_texts": 20,
    "usual_temperature": 0.15,
    "unlabelled_sharpness": 12.0,
    "untrained_keyword": [
      0.5,
      0.65,
      0.9
    ],
    "chunk_texts": 8192
  },
  "topic_model": {
    "instructions_chars": 4000,
    "topics_per_request": 8,
    "example_chars": 300,
    "name_chars": 60,
    "description_chars": 400,
    "name_tokens": 160,
    "records_per_request": 10,
    "record_chars": 800,
    "decision_tokens": 40,
    "listed_topics": 120,
    "likely_topics": 20,
    "keywords_listed": 6,
    "confirmed": 60,
    "enough_confirmed": 20,
    "repeated": 30,
    "stated_high": 0.8,
    "untrained": [
      0.55,
      0.65,
      0.75,
      0.85
    ],
    "prior_records": 4,
    "estimated_on": 1000,
    "measured_texts": 200
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
  },
  "grader_test": {
    "records": 5,
    "lenient": 0.9,
    "strict": 0.1,
    "no_variance": 0.1
  },
  "trust": {
    "labels": 50,
    "most_labels": 1000,
    "few": 30,
    "few_of_a_kind": 5,
    "few_clusters": 20,
    "kappa_good": 0.6,
    "kappa_poor": 0.4,
    "most_more_labels": 1000,
    "repeats": 3,
    "most_repeats": 10,
    "consistent": 0.9,
    "folds": 10,
    "cell_records": 200,
    "shown_disagreements": 12,
    "max_note_chars": 2000,
    "max_labeller_chars": 80
  },
  "judge": {
    "temperature": 0.0,
    "max_tokens": 256,
    "reasks": 1,
    "fenced": true,
    "expected_tokens": 120,
    "most_repeats": 9
  },
  "sandbox": {
    "max_source_bytes": 262144,
    "timeout_s": 2.0,
    "load_timeout_s": 5.0,
    "memory_bytes": 1073741824,
    "max_sample_bytes": 16777216,
    "samples_per_worker": 200,
    "workers": 2
  },
  "dry_run": {
    "prompts": 300,
    "responses": 1,
    "most_prompts": 50000,
    "most_responses": 64,
    "keep_answers": 16,
    "keep_s": 1.0,
    "concurrent_responses": 8,
    "examples": 5,
    "shown_chars": 4000,
    "named_topics": 3,
    "success": 1.0,
    "level": 0.95,
    "resamples": 2000
  },
  "dry_run_bounds": {
    "mean_fail": 0.1,
    "mean_low": 0.25,
    "mean_high": 0.65,
    "mean_unnecessary": 0.95,
    "above_zero_fail": 0.1,
    "above_zero_low": 0.5,
    "std_fail": 0.05,
    "std_low": 0.1,
    "std_high": 0.35,
    "perfect_high": 0.5,
    "repeated_fail": 0.9,
    "repeated_high": 0.7,
    "topic_low": 0.15,
    "failed_fail": 0.2,
    "failed_high": 0.05,
    "mixed_fail": 0.1,
    "mixed_low": 0.3
  },
  "connection": {
    "key_name": "[A-Z_][A-Z0-9_]{0,99}",
    "concurrency": 8,
    "most_concurrency": 256,
    "timeout_s": 60.0,
    "most_timeout_s": 3600.0
  },
  "rollout": {
    "temperature": 1.0,
    "max_tokens": 2048,
    "usual_tokens": 300,
    "looked_at": 200
  }
} as const;
