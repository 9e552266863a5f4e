/* The special tokens that are put around the tokens of a text. */
import { stepsOf } from './sequence';
import { isId, type Settings } from './settings';

/** Puts special tokens around those of a text, or only orders these. */
export type PostProcessor = (ids: number[], addSpecialTokens: boolean) => number[];

export function readPostProcessor(settings: Settings): PostProcessor {
  const type = settings.text('type');
  switch (type) {
    case 'Sequence': {
      const all = stepsOf(settings, 'processors', readPostProcessor);
      return (ids, addSpecialTokens) => all.reduce((changed, next) => next(changed, addSpecialTokens), ids);
    }
    // It says where tokens stand in a text, nothing else.
    case 'ByteLevel':
      return (ids) => ids;
    case 'BertProcessing':
    case 'RobertaProcessing': {
      const [start, end] = [tokenOf(settings, 'cls'), tokenOf(settings, 'sep')];
      return (ids, addSpecialTokens) => (addSpecialTokens ? [start, ...ids, end] : ids);
    }
    case 'TemplateProcessing':
      return template(settings);
  }
  throw new Error(`${settings.where}.type is ${type}, which is not known here`);
}

function tokenOf(settings: Settings, name: string): number {
  const [, id] = settings.list(name);
  return isId(id) ? id : settings.fail(name, 'a token and its ID');
}

const MOST_IDS = 10_000_000;

function template(settings: Settings): PostProcessor {
  const special = settings.has('special_tokens') ? settings.object('special_tokens') : undefined;
  const parts = stepsOf(settings, 'single', (part): number[] | 'text' => {
    if (part.has('Sequence')) {
      if (part.object('Sequence').one('id', ['A', 'B']) === 'B')
        throw new Error(`${part.where} is the second of two texts, which a template for one text cannot have`);
      return 'text';
    }
    const name = part.object('SpecialToken').text('id');
    if (!special?.has(name))
      throw new Error(
        `${part.where} names the token ${JSON.stringify(name)}, which ${settings.where}.special_tokens does not have`,
      );
    const ids = special.object(name).list('ids');
    return ids.every(isId) ? ids : special.object(name).fail('ids', 'IDs of tokens');
  });
  const repeats = parts.filter((part) => part === 'text').length;
  return (ids, addSpecialTokens) => {
    if (repeats * ids.length > Math.max(MOST_IDS, ids.length))
      throw new Error(`${settings.where} repeats a text so often that it has more than ${MOST_IDS} tokens`);
    const result: number[] = [];
    for (const part of parts)
      if (part === 'text' || addSpecialTokens) for (const id of part === 'text' ? ids : part) result.push(id);
    return result;
  };
}
