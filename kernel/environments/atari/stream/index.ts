/** Many games in a process of this machine, stepped together. */
export {
  answers,
  MESSAGE_TIMEOUT,
  snakeCase,
  AtariClient,
  type AtariProcess,
  type AtariClientOptions,
  type AtariStep,
} from './client';
