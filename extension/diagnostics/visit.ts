import { StateEffect, StateField, type Extension } from '@codemirror/state';
import { EditorView, keymap, showPanel, type DecorationSet, type Panel } from '@codemirror/view';

/** The key that goes to the next problem, as in other editors. */
const KEY = 'F8';

const setMessage = StateEffect.define<string | null>();

/** The message of the problem that was gone to: a line below the code until the cursor leaves. */
const message = StateField.define<string | null>({
  create: () => null,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMessage)) return effect.value;
    return transaction.docChanged || transaction.selection ? null : value;
  },
  provide: (field) => showPanel.from(field, (text) => (text === null ? null : () => panel(text))),
});

function panel(text: string): Panel {
  const dom = document.createElement('div');
  dom.className = 'joylab-ProblemLine';
  dom.textContent = text;
  return { dom };
}

/** Lets the keyboard go through the problems that `marks` underlines, and reads their messages out. */
export function visitProblems(marks: StateField<DecorationSet>): Extension {
  return [
    message,
    keymap.of([{ key: KEY, run: (view) => goToNext(view, view.state.field(marks)) }]),
    EditorView.focusChangeEffect.of((_, hasFocus) => (hasFocus ? null : setMessage.of(null))),
  ];
}

function goToNext(view: EditorView, marked: DecorationSet): boolean {
  const problems: Array<{ from: number; to: number; text: string }> = [];
  marked.between(0, view.state.doc.length, (from, to, { spec }) => {
    problems.push({ from, to, text: spec.attributes.title });
  });
  if (problems.length === 0) return false;
  const { from: here, to: end } = view.state.selection.main;
  // A problem at the cursor that is not selected yet is the next one.
  const next = problems.find(({ from, to }) => from > here || (from === here && to !== end)) ?? problems[0];
  const text = problems.length > 1 ? `${next.text} (${problems.indexOf(next) + 1} of ${problems.length})` : next.text;
  view.dispatch({
    selection: { anchor: next.from, head: next.to },
    effects: [setMessage.of(text), EditorView.announce.of(text)],
    scrollIntoView: true,
  });
  return true;
}
