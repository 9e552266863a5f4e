import { LocalEnvironment } from '../local';
import type { EpisodeState } from '../../openenv/protocol';
import { ACTIONS } from './board';
import { Game2048, OUTLOOK_VARIABLES, type Game2048Action, type Game2048Observation } from './environment';

/** The game 2048, opened with `openenv('game2048')`. */
export type Game2048Environment = LocalEnvironment<
  Game2048Action,
  Game2048Observation,
  EpisodeState & { moves: number }
>;

/** The variables of the observation, for programs; card and prompt use the schema. */
const VARIABLES = [
  {
    name: 'board',
    description: '16 tile values, row by row from the top left, 0 for an empty cell',
    minimum: 0,
    maximum: 2048,
  },
  { name: 'legal_actions', description: 'IDs of the moves that change the board', minimum: 0, maximum: 3 },
  ...OUTLOOK_VARIABLES,
  { name: 'score', description: 'sum of all merged tiles', minimum: 0, maximum: 20_480 },
  { name: 'highest_tile', description: 'the largest tile', minimum: 2, maximum: 2048 },
  { name: 'blocked', description: 'moves in a row, up to now, that changed nothing', minimum: 0, maximum: 3 },
];

/** 2048, in this process: `openenv('game2048')`. */
export const game2048 = {
  open: (): Promise<Game2048Environment> =>
    LocalEnvironment.open(Game2048, {
      environment: 'game2048',
      actions: [...ACTIONS],
      stateVariables: VARIABLES,
      module: require.resolve('./environment'),
    }),
};
