import { environmentPlugin } from './environment';
import { episodePlugin } from './episode';
import { trainingPlugin } from './training';

export default [episodePlugin, trainingPlugin, environmentPlugin];
