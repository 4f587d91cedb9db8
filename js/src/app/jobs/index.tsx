// Long work on all datasets: how much is at work stands on every page, the rest a click away.
import { Activity } from "lucide-react";
import { useState } from "react";
import { isAtWork } from "../../host/jobs";
import { Button } from "../../ui/Button";
import { count } from "../../ui/numbers";
import { useApp } from "../app_host";
import { JobsPanel } from "./JobsPanel";

export function JobsButton() {
  const { jobs } = useApp();
  const [isOpen, setOpen] = useState(false);
  const atWork = jobs.filter(({ job }) => isAtWork(job)).length;
  return (
    <>
      <Button
        className="rft-jobs-button"
        icon={atWork > 0 ? <span className="rft-spinner" aria-hidden /> : ICON}
        aria-haspopup="dialog"
        aria-label={atWork > 0 ? `Jobs, ${count(atWork)} at work` : "Jobs"}
        onClick={() => setOpen(true)}
      >
        {atWork > 0 ? `Jobs (${count(atWork)})` : "Jobs"}
      </Button>
      {isOpen && <JobsPanel onClose={() => setOpen(false)} />}
    </>
  );
}

const ICON = <Activity size={14} aria-hidden />;
