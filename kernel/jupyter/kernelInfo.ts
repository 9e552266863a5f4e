import { PROTOCOL_VERSION } from './message';

/** Returns the content of `kernel_info_reply`. */
export function kernelInfo(): Record<string, unknown> {
  const version: string = require('../../../package.json').version;
  return {
    status: 'ok',
    protocol_version: PROTOCOL_VERSION,
    implementation: 'joylab',
    implementation_version: version,
    language_info: {
      name: 'typescript',
      version: require('typescript/package.json').version,
      mimetype: 'text/typescript',
      file_extension: '.ts',
      pygments_lexer: 'typescript',
      codemirror_mode: { name: 'javascript', typescript: true },
      nbconvert_exporter: 'script',
    },
    banner: `Joylab ${version}: reinforcement learning in TypeScript (Node.js ${process.version})`,
    help_links: [
      { text: 'TypeScript', url: 'https://www.typescriptlang.org/docs/' },
      { text: 'OpenEnv', url: 'https://github.com/meta-pytorch/OpenEnv' },
    ],
    supported_features: [],
  };
}
