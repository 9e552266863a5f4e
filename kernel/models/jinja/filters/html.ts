import { spend } from '../budget';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' };

/** Returns a text escaped as by MarkupSafe. */
export function escapeHtml(text: string): string {
  const escaped = text.replace(/[&<>'"]/g, (character) => ENTITIES[character]);
  spend(escaped.length - text.length);
  return escaped;
}
