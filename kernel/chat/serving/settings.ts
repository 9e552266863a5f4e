import { checked, nullable, text, whole, type Declaration, type Given } from '../../common/settings';

const settings = {
  /** The port; 0 takes a free one. 0 by default. */
  port: whole(0, { from: 0, to: 65535 }),
  /** The address to listen at; '0.0.0.0' for other machines, too. '127.0.0.1' by default. */
  host: text('127.0.0.1', "an address, such as '127.0.0.1'"),
  /** The name by which clients ask for the model. The model's own by default, of a folder its last part. */
  name: text(undefined, 'a name'),
  /** Environment variable with the key that clients must send (`Authorization: Bearer …`). `null` by default: none is asked for. */
  apiKeyEnv: nullable(text(null, "the name of an environment variable, such as 'MY_KEY'")),
  /** Sites whose pages may ask, too. Those of `JOYLAB_ALLOWED_ORIGINS` by default; pages of this machine always may. */
  allowedOrigins: checked<string[]>(undefined, "a list of origins, such as ['https://my.example']", Array.isArray),
};

/** Options of `serveModel`. */
export interface ServeModelOptions extends Given<typeof settings> {}

/** The options of `serveModel`. */
export const serveModelDeclaration: Declaration<typeof settings> = {
  owner: 'serveModel',
  noun: 'option',
  example: '{ port: 8001 }',
  settings,
  elsewhere: { apiKey: 'put it into an environment variable, and name that: apiKeyEnv' },
};
