import type { Interface } from 'node:readline';
import { NotebookInput, questionCancel, readlineInterface as prototype } from './notebookInput';

/**
 * Lets interfaces of readline that read from standard input ask the front end:
 * the text of a question goes where the answer is typed, as with `prompt()`.
 */
export function askByReadline(): void {
  const input = (face: Interface): NotebookInput | null => {
    const given = (face as unknown as { input: unknown }).input;
    return given instanceof NotebookInput ? given : null;
  };

  const { prompt, setPrompt } = prototype;
  // The constructor calls it.
  prototype.setPrompt = function (text) {
    input(this)?.register(this);
    return setPrompt.call(this, text);
  };
  prototype.prompt = function (...args) {
    const from = input(this);
    if (!from) return prompt.call(this, ...args);
    this.resume();
    from.ask(this, this.getPrompt());
  };

  const cancel = questionCancel(prototype);
  if (!cancel) return;
  const cancelQuestion = prototype[cancel];
  prototype[cancel] = function () {
    const from = input(this);
    from?.forgetQuestion(this);
    // It would end the line of the question, which was not written.
    const open = this as unknown as { output: unknown };
    const { output } = open;
    if (from) open.output = null;
    cancelQuestion.call(this);
    open.output = output;
  };
}
