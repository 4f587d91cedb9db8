import { configure } from "@testing-library/react";
import { provideEditor } from "./src/host/editor_code";
import * as editor from "./src/ui/code/editor";

configure({ asyncUtilTimeout: 8_000 });

// jsdom lays nothing out, so there is nothing to observe.
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

// React warns of updates that no test asked for; testing-library sets this only beside globals.
(globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;

// What a page fetches from its kernel when an editor is shown is there from the beginning.
provideEditor(editor);
