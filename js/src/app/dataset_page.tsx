// DatasetPage of widgets/app.py on the page: canvas or settings of one dataset.
import { useFollow } from "../host/bridge";
import { CanvasPage } from "./canvas";
import { useRouting } from "./routing";
import { SettingsPage } from "./settings";

export function DatasetPageWidget() {
  useFollow();
  const { route } = useRouting();
  if (route.page === "canvas") return <CanvasPage id={route.id} />;
  return route.page === "settings" ? <SettingsPage id={route.id} /> : null;
}
