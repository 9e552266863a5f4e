import type { Interface } from 'node:readline';
import { NotebookInput } from '../../input/notebookInput';
import { interfacePrototype as prototype, QUESTION_CANCEL } from './interface';
import { replace, type Undo } from '../replace';

/**
 * Lets interfaces of readline that read from standard input ask the front end:
 * the text of a question goes where the answer is typed, as with `prompt()`.
 */
export function askByReadline(): Undo {
  const input = (face: Interface): NotebookInput | null => {
    const given = (face as unknown as { input: unknown }).input;
    return given instanceof NotebookInput ? given : null;
  };

  const { prompt, setPrompt } = prototype;
  const replaced: typeof prototype = {
    // The constructor calls it.
    setPrompt(text) {
      input(this)?.register(this);
      return setPrompt.call(this, text);
    },
    prompt(...args) {
      const from = input(this);
      if (!from) return prompt.call(this, ...args);
      this.resume();
      from.ask(this, this.getPrompt());
    },
  };

  if (QUESTION_CANCEL) {
    const cancelQuestion = prototype[QUESTION_CANCEL];
    replaced[QUESTION_CANCEL] = function () {
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
  return replace(prototype, replaced);
}
