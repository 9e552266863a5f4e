import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { CATEGORY } from '../commands';

const NEW = 'joylab:new-atari-notebook';
const KERNEL = 'joylab';

/** Makes a ready Atari notebook for a game: in the launcher, the palette, and by schema/settings.json in menus. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:launcher',
  description: 'Makes a notebook that trains on an Atari game.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser],
  activate(
    { commands, serviceManager }: JupyterFrontEnd,
    notebooks: INotebookTracker,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null,
  ): void {
    const { contents, kernelspecs } = serviceManager;
    /** The folder of the file browser, or of the notebook that is open where there is none. */
    const folder = (): string =>
      browser?.model.path ?? (notebooks.currentWidget?.context.path ?? '').split('/').slice(0, -1).join('/');
    commands.addCommand(NEW, {
      label: ({ isPalette, isMenu }) => (isPalette || isMenu ? 'New Atari GRPO Notebook' : 'Atari GRPO Notebook'),
      caption: 'Create a notebook in which a language model learns to play an Atari game',
      execute: async ({ cwd, game }) => {
        // The list of games and the notebook are large; few sessions want them.
        const [{ askForGame }, { createNotebook }] = await Promise.all([import('./dialog'), import('./notebook')]);
        const chosen = typeof game === 'string' ? game : await askForGame();
        if (chosen === null) return undefined;
        try {
          const path = await createNotebook(contents, typeof cwd === 'string' ? cwd : folder(), chosen);
          // The notebook itself names the kernel.
          return await commands.execute('docmanager:open', { path, factory: 'Notebook' });
        } catch (error) {
          return showErrorMessage('The notebook was not created', error as Error);
        }
      },
    });
    palette?.addItem({ command: NEW, category: CATEGORY, args: { isPalette: true } });
    if (launcher)
      void kernelspecs.ready.then(() => {
        const kernel = kernelspecs.specs?.kernelspecs[KERNEL];
        if (!kernel) return;
        const kernelIconUrl = kernel.resources['logo-svg'] ?? kernel.resources['logo-64x64'];
        launcher.add({ command: NEW, category: 'Notebook', rank: 100, kernelIconUrl });
      });
  },
};
