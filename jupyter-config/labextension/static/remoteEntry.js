// A launcher entry for JupyterLab, in the form that it loads extensions: a container of module
// federation, written by hand, so that nothing has to be built. What it needs of JupyterLab it takes
// from the modules that JupyterLab shares.
(() => {
  const NAME = 'rft-widgets';
  const COMMAND = `${NAME}:open`;
  const SOURCE = 'import rft_widgets as rft\n\nrft.App()';
  const ICON =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" fill="none" ' +
    'stroke="#2dd4bf" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">' +
    '<circle cx="5" cy="6" r="2.5"/><circle cx="19" cy="6" r="2.5"/><circle cx="12" cy="18" r="2.5"/>' +
    '<path d="M7.5 6h9M17.7 8.2l-4.4 7.6"/></svg>';

  let shared = {};

  async function load(name) {
    const versions = shared[name];
    if (!versions) {
      return null;
    }
    const factory = await Object.values(versions)[0].get();
    return factory();
  }

  function pythonKernel(specs) {
    const found = specs?.kernelspecs ?? {};
    const isPython = (name) => found[name]?.language === 'python';
    return isPython(specs?.default) ? specs.default : Object.keys(found).find(isPython);
  }

  async function open(app, cwd) {
    await app.serviceManager.kernelspecs.ready;
    const kernelName = pythonKernel(app.serviceManager.kernelspecs.specs);
    const panel = await app.commands.execute('notebook:create-new', { cwd, kernelName });
    await panel.context.ready;
    await panel.sessionContext.ready;
    panel.content.widgets[0].model.sharedModel.setSource(SOURCE);
    app.shell.activateById(panel.id);
    await app.commands.execute('notebook:run-all-cells');
    return panel;
  }

  async function makePlugin() {
    const [launching, palettes, ui] = await Promise.all(
      ['@jupyterlab/launcher', '@jupyterlab/apputils', '@jupyterlab/ui-components'].map(load),
    );
    const optional = [launching?.ILauncher, palettes?.ICommandPalette].filter(Boolean);
    return {
      id: `${NAME}:launcher`,
      description: 'Opens the RFT pipeline from the launcher.',
      autoStart: true,
      optional,
      activate: (app, ...services) => {
        const given = (token) => services[optional.indexOf(token)];
        app.commands.addCommand(COMMAND, {
          label: 'RFT Pipeline',
          caption: 'From recorded traffic to a better model',
          icon: ui ? new ui.LabIcon({ name: `${NAME}:icon`, svgstr: ICON }) : undefined,
          execute: (args) => open(app, args.cwd ?? ''),
        });
        given(launching?.ILauncher)?.add({
          command: COMMAND,
          category: 'Notebook',
          rank: 50,
          kernelIconUrl: `data:image/svg+xml,${encodeURIComponent(ICON)}`,
        });
        given(palettes?.ICommandPalette)?.addItem({ command: COMMAND, category: 'RFT' });
      },
    };
  }

  (window._JUPYTERLAB ??= {})[NAME] = {
    init: (scope) => {
      shared = scope;
    },
    get: async (module) => {
      if (module !== './extension') {
        throw new Error(`${NAME} has no module ${module}.`);
      }
      const plugin = await makePlugin();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
