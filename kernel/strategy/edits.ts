/** A text that is inserted at a position of the source. */
export interface Edit {
  at: number;
  text: string;
}

/** Returns a source with texts inserted. Those of one position keep their order: an outer beginning comes before an inner one. */
export function edited(code: string, edits: readonly Edit[]): string {
  const inOrder = edits.map((edit, order) => ({ ...edit, order })).sort((a, b) => a.at - b.at || a.order - b.order);
  let [text, from] = ['', 0];
  for (const edit of inOrder) {
    text += code.slice(from, edit.at) + edit.text;
    from = edit.at;
  }
  return text + code.slice(from);
}
