import { spend } from '../budget';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' };

/** Escapes as MarkupSafe does. */
export function escapeHtml(text: string): string {
  const escaped = text.replace(/[&<>'"]/g, (character) => ENTITIES[character]);
  spend(escaped.length - text.length);
  return escaped;
}
