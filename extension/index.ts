import { accessPlugin } from './access';
import { diagnosticsPlugin } from './diagnostics';
import { environmentPlugin } from './environment';
import { episodePlugin } from './episode';
import { modulesPlugin } from './modules';
import { outputsPlugin } from './outputs';
import { rolloutsPlugin } from './rollouts';
import { trainingPlugin } from './training';

export default [
  episodePlugin,
  trainingPlugin,
  rolloutsPlugin,
  environmentPlugin,
  modulesPlugin,
  diagnosticsPlugin,
  outputsPlugin,
  accessPlugin,
];
