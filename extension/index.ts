import { accessPlugin } from './access';
import { cellsPlugin } from './cells';
import { commandsPlugin } from './commands';
import { diagnosticsPlugin } from './diagnostics';
import { environmentPlugin } from './environment';
import { episodePlugin } from './episode';
import { launcherPlugin } from './launcher';
import { modulesPlugin } from './modules';
import { outputsPlugin } from './outputs';
import { trainingPlugin } from './training';

export default [
  episodePlugin,
  trainingPlugin,
  environmentPlugin,
  modulesPlugin,
  diagnosticsPlugin,
  outputsPlugin,
  accessPlugin,
  cellsPlugin,
  commandsPlugin,
  launcherPlugin,
];
