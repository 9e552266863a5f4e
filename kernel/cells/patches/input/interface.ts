import { Interface } from 'node:readline';

/** The prototype of every interface of readline, that of `node:readline/promises`, too. */
export const interfacePrototype = Object.getPrototypeOf(Interface.prototype) as Record<
  string | symbol,
  (this: Interface, ...args: unknown[]) => unknown
>;

/** The name of readline's own method that takes a question back. */
export const QUESTION_CANCEL = Object.getOwnPropertySymbols(interfacePrototype).find(
  ({ description }) => description === 'kQuestionCancel',
);

/** Takes a question back, as readline does where its signal is aborted. */
export function cancelQuestion(face: Interface): void {
  if (QUESTION_CANCEL) (face as unknown as Record<symbol, () => void>)[QUESTION_CANCEL]();
}
