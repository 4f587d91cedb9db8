// Voila's front end waits for MathJax and would take it from the network. The app has no formulas.
globalThis.MathJax = {
  Hub: { Config() {}, Configured() {}, Queue() {}, Register: { StartupHook() {} } },
};
