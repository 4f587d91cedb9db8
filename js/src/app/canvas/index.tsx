// The canvas of a dataset, with its commands; what it opens stands in the address.
import { Settings } from "lucide-react";
import { useState } from "react";
import { DatasetView } from "../../overview";
import { HeadButtons, PipelineOf } from "../../overview/Header";
import { useApp } from "../app_host";
import { JobItem } from "../jobs/JobItem";
import { PageHead } from "../PageHead";
import { LIST } from "../router";
import { Link } from "../routing";

export function CanvasPage({ id }: { readonly id: string }) {
  const [zoom, setZoom] = useState<HTMLElement | null>(null);
  return (
    <div className="rft-canvas-page">
      <DatasetView
        zoomInto={zoom}
        head={({ name, ...commands }) => (
          <>
            <PageHead
              name={name}
              title={<PipelineOf name={name} />}
              back={{ to: LIST, label: "Back to Your Datasets" }}
            >
              <HeadButtons {...commands}>
                <span ref={setZoom} />
                <Link to={{ page: "settings", id }} className="rft-icon-button" label="Settings">
                  <Settings size={16} aria-hidden />
                </Link>
              </HeadButtons>
            </PageHead>
            <Preparation id={id} />
          </>
        )}
      />
    </div>
  );
}

/** How the dataset's records failed to come, while nothing else has been done about it. */
function Preparation({ id }: { readonly id: string }) {
  const { jobs } = useApp();
  const newest = jobs.find(({ job }) => job.dataset_id === id && job.kind === "prepare");
  if (newest?.job.status !== "failed" && newest?.job.status !== "cancelled") return null;
  return (
    <ul className="rft-jobs rft-preparation" aria-label="Preparation">
      <JobItem line={{ ...newest, dataset: "" }} onLeave={() => {}} />
    </ul>
  );
}
