import * as path from 'node:path';
import { ServerProcess } from '../../kernel/openenv';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';

/** Starts OpenEnv's own Atari server, with environment variables such as `ATARI_GAME` and `ATARI_OBS_TYPE`. */
export function officialAtari(variables: Record<string, string>): Promise<ServerProcess> {
  return ServerProcess.launch({
    name: "OpenEnv's Atari server",
    command: pythonPath(),
    args: [path.join(packageRoot, 'test', 'environments', 'serve_official.py')],
    cwd: packageRoot,
    env: variables,
  });
}
