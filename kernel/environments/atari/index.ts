import type { EpisodeState } from '../../openenv/protocol';
import { AtariEnvironment } from './environment';
import { isOfficialAtari, OfficialAtariEnvironment } from './official';
import type { AtariOpenOptions } from './options';

/** Atari games, `openenv('atari', { game })`. */
export const atari = {
  open: (options: AtariOpenOptions): Promise<AtariEnvironment> => AtariEnvironment.open(options),
  /** OpenEnv's own Atari server. */
  served: {
    recognizes: isOfficialAtari,
    variant: (state: Partial<EpisodeState>): unknown => state.game_name,
    adopt: OfficialAtariEnvironment.of,
  },
};
