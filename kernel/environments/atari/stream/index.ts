/** Many games of a process of this machine, in lockstep. */
export {
  answers,
  MESSAGE_TIMEOUT,
  snakeCase,
  AtariClient,
  type AtariProcess,
  type AtariClientOptions,
  type AtariStep,
} from './client';
