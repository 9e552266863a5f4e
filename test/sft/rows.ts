import type { SFTRow } from '../../kernel/sft';

/** Rows of the tests, in each form. */
export const texts: SFTRow[] = [
  'the ball and the paddle',
  'a strategy for another game on the other screen',
  'in the end',
  'nine lives, one paddle — and the “ball”',
  'other',
  'on and on and on and on and on and on it goes until it is far too long for a row',
  'an error',
  'then the ball',
  'in there',
  'the paddle in the corner',
].map((text) => ({ text }));

export const pairs: SFTRow[] = texts.map(({ text }, i) => ({
  prompt: `question ${i * 7}: the`,
  completion: ` ${text}`,
}));

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

export const conversations: SFTRow[] = texts.map(({ text }, i) => ({
  messages: [
    ...(i % 2 ? [{ role: 'system', content: 'answer in one line' }] : []),
    user(`what is ${i}?`),
    assistant(`é it is  ${text}`),
    ...(i % 3 ? [user('and then?'), assistant('the end')] : []),
  ],
}));

export const chatPairs: SFTRow[] = texts.map(({ text }, i) => ({
  prompt: [user(`say ${i}`)],
  completion: [assistant(text!), ...(i % 2 ? [user('on'), assistant('and on')] : [])],
}));
