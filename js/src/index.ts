// What the shim asks the bundle for.
import { AppWidget } from "./app";
import { CreatePageWidget } from "./app/create";
import { DatasetPageWidget } from "./app/dataset_page";
import { CanvasWidget } from "./canvas";
import { CoverageDialogWidget } from "./dialogs/coverage";
import { DeployDialogWidget } from "./dialogs/deploy";
import { DryRunDialogWidget } from "./dialogs/dry_run";
import { GenerateDialogWidget } from "./dialogs/generate";
import { GraderDialogWidget } from "./dialogs/grader";
import { ImportRecordsDialogWidget } from "./dialogs/import_records";
import { ImportTopicsDialogWidget } from "./dialogs/import_topics";
import { LabellingDialogWidget } from "./dialogs/labelling";
import { RecordsDialogWidget } from "./dialogs/records";
import { TopicsDialogWidget } from "./dialogs/topics";
import { TrainingDialogWidget } from "./dialogs/training";
import { HealthBarWidget } from "./health_bar";
import type { ViewContext } from "./host/model";
import { type Components, mount } from "./host/mount";
import { OverviewWidget } from "./overview";
import { RecordsGridWidget } from "./records_grid";

const components: Components = new Map([
  ["app", AppWidget],
  ["app/dataset_page", DatasetPageWidget],
  ["app/create_page", CreatePageWidget],
  ["canvas", CanvasWidget],
  ["health_bar", HealthBarWidget],
  ["overview", OverviewWidget],
  ["records_grid", RecordsGridWidget],
  ["dialogs/records", RecordsDialogWidget],
  ["dialogs/topics", TopicsDialogWidget],
  ["dialogs/coverage", CoverageDialogWidget],
  ["dialogs/generate", GenerateDialogWidget],
  ["dialogs/grader", GraderDialogWidget],
  ["dialogs/labelling", LabellingDialogWidget],
  ["dialogs/dry_run", DryRunDialogWidget],
  ["dialogs/training", TrainingDialogWidget],
  ["dialogs/deploy", DeployDialogWidget],
  ["dialogs/import_records", ImportRecordsDialogWidget],
  ["dialogs/import_topics", ImportTopicsDialogWidget],
]);

export function mountWidget(component: string, ctx: ViewContext): () => void {
  return mount(components, component, ctx);
}
