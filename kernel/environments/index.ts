export { ATARI_GAMES, type AtariGame } from './atari/actions';
export { AtariEnvironment, type AtariAction, type AtariObservation } from './atari/environment';
export { AtariFrame } from './atari/frame';
export type { AtariOptions } from './atari/options';
export { ATARI_PALETTE } from './atari/palette';
export type { EnvironmentReader, StateVariable, VectorEnvironment } from './environment';
export { openenv } from './openenv';
export { environmentReader } from './reader';
export { RemoteEnvironment, type RemoteOptions } from './remote';
