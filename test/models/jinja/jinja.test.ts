import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Template, TemplateError } from '../../../kernel/models/jinja';
import { PythonPeer } from '../pythonPeer';
import { EXPRESSIONS } from './cases/expressions';
import { FILTERS } from './cases/filters';
import { FORMATS } from './cases/formats';
import { TEMPLATES } from './cases/templates';
import { METHODS, NUMBERS, TEXTS, USES, VALUES } from './cases/values';

const peer = new PythonPeer('models/jinja/jinja_peer.py');
after(() => peer.close());

const messages = [
  { role: 'user', content: 'Hi 🎉 there' },
  { role: 'assistant', content: '<think>\nhm\n</think>\n\nHello' },
];
const variables = {
  s: 'Hello World',
  emoji: 'a🎉b👩‍👩‍👧 z',
  obj: { a: 1, b: 'x', n: null },
  nested: { z: [1, 2.5, { q: null }], a: 'é', t: true },
  tree: [{ n: 1, c: [{ n: 2, c: [{ n: 3 }] }, { n: 4 }] }],
  big: 1e21,
  bigf: 123456789.5,
  int64: 9007199254740991,
  flt: 0.1,
};

/** What transformers can do and Joylab says it can't: mostly what no template should print. */
const REFUSED = [
  /address in memory/, // <function range at 0x…>
  /(filter|method) \w+( of texts)? is not possible/, // wordwrap, striptags, encode
  /is possible only for values that fit on a line/, // pprint
  /complex number|powers with a fraction/,
  /integers that are too large/,
  /random gives|lipsum gives|names of characters|slice indices|self, which stands|cannot be sliced|bit_length of int/,
  /'<' not supported/, // pprint of keys that have no order
  /sameas cannot tell/,
];

type Outcome = { text: string } | { error: string };

function ours(template: string): Outcome {
  try {
    return {
      text: new Template(template).render({
        ...variables,
        messages,
        tools: null,
        documents: null,
        add_generation_prompt: false,
      }).text,
    };
  } catch (error) {
    assert.ok(error instanceof TemplateError, `${template}: ${(error as Error).stack}`);
    return { error: error.message };
  }
}

async function compare(templates: string[]): Promise<void> {
  const expected: Outcome[] = await peer.call('render', { cases: templates, messages, variables });
  assert.ok(expected.filter((one) => 'text' in one).length > expected.length / 3);
  const wrong = templates.flatMap((template, i): object[] => {
    const [theirs, mine] = [expected[i], ours(template)];
    if ('text' in theirs)
      return 'text' in mine
        ? mine.text === theirs.text
          ? []
          : [{ template, theirs, mine }]
        : REFUSED.some((known) => known.test(mine.error))
          ? []
          : [{ template, theirs, mine }];
    // Infinity and NaN have no name in the Python that constant expressions are compiled to.
    return 'error' in mine || /name '(inf|nan)'/.test(theirs.error) ? [] : [{ template, theirs, mine }];
  });
  assert.deepEqual(wrong, []);
}

const printed = (expressions: readonly string[]): string[] => expressions.map((expression) => `{{ ${expression} }}`);

test('values of all kinds are printed, joined, converted and asked as by transformers', async () => {
  await compare(
    printed([
      ...VALUES,
      ...VALUES.flatMap((value, i) =>
        USES.filter((_, j) => (i + j) % 3 !== 0).map((use) => use.replaceAll('VALUE', value)),
      ),
    ]),
  );
});

test('operators', async () => {
  const operators = ['+', '-', '*', '/', '//', '%', '**', '==', '<', '>=', '~', 'in'];
  await compare(
    printed(
      NUMBERS.flatMap((a) =>
        NUMBERS.flatMap((b, i) =>
          operators.filter((_, j) => (i + j) % 6 === 0).map((operator) => `(${a}) ${operator} (${b})`),
        ),
      ),
    ),
  );
});

test('methods of texts', async () => {
  await compare(
    printed(
      TEXTS.flatMap((text, i) => METHODS.filter((_, j) => (i + j) % 2 === 0).map((method) => `(${text}).${method}`)),
    ),
  );
});

test('filters, tests, functions and formats', async () => {
  await compare(printed([...EXPRESSIONS, ...FILTERS, ...FORMATS]));
});

test('statements, whitespace, macros, loops and errors', async () => {
  await compare([...TEMPLATES]);
});

test('what the assistant writes is marked as by transformers', async () => {
  for (const template of [
    "{% for m in messages %}<|{{ m.role }}|>\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<end>{% endgeneration %}{% else %}{{ m.content }}{% endif %}\n{% endfor %}",
    '{%- for m in messages -%}\n  {%- generation -%}\n  {{ m.content }}  {%- endgeneration -%}\n{%- endfor -%}',
    '{% generation %}\n  a\n{% endgeneration %}\nb{% generation %}{% endgeneration %}',
  ]) {
    const expected = await peer.call('generations', { template, messages });
    const { text, generations } = new Template(template).render({ messages });
    assert.equal(text, expected.text);
    assert.deepEqual(
      generations.map(([start, end]) => text.slice(start, end)),
      expected.parts,
    );
  }
});

test('data is what it is in JSON: whole numbers are integers, null is None', () => {
  const render = (value: unknown) => new Template('{{ value }}').render({ value }).text;
  assert.equal(
    render([1, 1.5, 1e21, -0, 2 ** 53, 10n ** 30n, null, undefined, true]),
    `[1, 1.5, 1e+21, 0, 9007199254740992, ${10n ** 30n}, None, None, True]`,
  );
  assert.equal(
    render({ a: undefined, b: null, c: new Map([[1, 2]]), d: new Float32Array([0.5]) }),
    "{'b': None, 'c': {1: 2}, 'd': [0.5]}",
  );
  assert.throws(() => render({ a: () => 1 }), /the template's variable value has a function in it/);
  const itself: unknown[] = [];
  itself.push(itself);
  assert.throws(() => render(itself), /nested more than 512 levels deep/);
});

test('an error names the line, and a template that speaks for itself is quoted', () => {
  assert.throws(() => new Template('a\n{{ 1 + none }}').render({}), {
    name: 'TemplateError',
    message: "unsupported operand type(s) for +: 'int' and 'NoneType' (line 2 of the template)",
  });
  assert.throws(() => new Template('a\n\n{% if x %}'), /Unexpected end of template.*\(line 3 of the template\)/);
  assert.throws(() => new Template("{{ raise_exception('Roles must alternate') }}").render({}), {
    message: 'Roles must alternate',
  });
});
