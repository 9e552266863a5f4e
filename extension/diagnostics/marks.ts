import { StateEffect, StateField, type EditorState } from '@codemirror/state';
import { Decoration, EditorView, type DecorationSet } from '@codemirror/view';
import type { Diagnosis } from '../../kernel/display/mime';
import { visitProblems } from './visit';

const setMarks = StateEffect.define<DecorationSet>();

/** The marked problems of an editor. They move with the text. */
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMarks)) return effect.value;
    return value.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Underlines problems in an editor, in place of those that were marked; their messages are tooltips, and F8 goes from one to the next. */
export function markProblems(view: EditorView, problems: Diagnosis[]): void {
  const effects: StateEffect<unknown>[] = [setMarks.of(decorations(view.state, problems))];
  if (!view.state.field(marks, false)) {
    if (problems.length === 0) return;
    effects.unshift(StateEffect.appendConfig.of([marks, visitProblems(marks)]));
  }
  view.dispatch({ effects });
}

function decorations({ doc }: EditorState, problems: Diagnosis[]): DecorationSet {
  const ranges = problems.flatMap(({ start, end, message }) => {
    // What is missing at the end of the text is marked at its last character.
    const from = Math.min(start, Math.max(0, doc.length - 1));
    const to = Math.min(Math.max(end, from + 1), doc.length);
    if (from >= to) return [];
    return [Decoration.mark({ class: 'joylab-Squiggle', attributes: { title: message } }).range(from, to)];
  });
  return Decoration.set(ranges, true);
}
