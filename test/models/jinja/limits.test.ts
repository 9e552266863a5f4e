import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Template, TemplateError } from '../../../kernel/models/jinja';

const deep = 100_000;
const loop = (body: string, count = '100000'): string =>
  `{% set n = namespace(s='ab', l=[1], t=(1,)) %}{% for i in range(${count}) %}${body}{% endfor %}`;

/** Templates that would run for ever or fill the memory. */
const RUNAWAY: Record<string, string> = {
  'a long range': '{% for i in range(10**9) %}x{% endfor %}',
  'a loop in a loop': '{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}',
  'a loop whose test is never true':
    '{% for i in range(100000) %}{% for j in range(100000) if false %}{% endfor %}{% endfor %}',
  'a long text': "{{ 'a' * 10**9 }}",
  'a long list': '{{ [0] * 10**9 }}',
  'a long tuple': '{{ (0,) * 10**9 }}',
  'a large number': '{{ 10**(10**10) }}',
  'a number squared again and again':
    '{% set n = namespace(x=10) %}{% for i in range(100) %}{% set n.x = n.x * n.x %}{% endfor %}',
  'a text joined to itself': loop('{% set n.s = n.s ~ n.s %}') + '{{ n.s }}',
  'a text joined by a filter': loop('{% set n.s = [n.s, n.s] | join %}') + '{{ n.s }}',
  'a text formatted twice': loop("{% set n.s = '{0}{0}'.format(n.s) %}") + '{{ n.s }}',
  'a text that grows by replacing': loop("{% set n.s = n.s.replace('', 'ab') %}"),
  'a list joined to itself': loop('{% set n.l = n.l + n.l %}'),
  'a list of itself twice, printed': loop('{% set n.l = [n.l, n.l] %}', '100') + '{{ n.l }}',
  'a list of itself twice, as JSON': loop('{% set n.l = [n.l, n.l] %}', '100') + '{{ n.l | tojson }}',
  'a tuple of itself twice, as a key': loop('{% set n.t = (n.t, n.t) %}', '100') + '{{ {n.t: 1} }}',
  'a deep list': loop('{% set n.l = [n.l] %}') + '{{ n.l }}',
  'a namespace in itself': '{% set n = namespace() %}{% set n.n = n %}{{ n }}',
  'a macro that calls itself': '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
  'a macro that calls itself twice':
    '{% macro m(n) %}{% if n < 99 %}{{ m(n + 1) }}{{ m(n + 1) }}{% endif %}{% endmacro %}{{ m(0) }}',
  'a block that calls its caller': '{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}',
  indent: "{{ 'a\\nb' | indent(10**9) }}",
  center: "{{ 'a' | center(10**9) }}",
  batch: '{{ [1] | batch(10**9, 0) | list }}',
  slice: '{{ [1] | slice(10**9) | list }}',
  ljust: "{{ 'a'.ljust(10**12) }}",
  zfill: "{{ 'a'.zfill(10**12) }}",
  'a width of %': "{{ '%1000000000d' % 1 }}",
  'a width that is given to %': "{{ '%*d' % (10**9, 1) }}",
  'decimals of %': "{{ '%.1000000000f' % 1.5 }}",
  'a width of format': "{{ '{:1000000000}'.format(1) }}",
  'JSON that is indented': '{{ [1] | tojson(indent=10**9) }}',
  'long texts that are kept': loop("{% set n.l = n.l + [('a' * 1000000) | upper] %}"),
  'searching a long text': "{% set s = 'a' * 1000000 %}" + loop("{{ s.find('a' * 500000 ~ 'b') }}"),
  'cutting a long text': "{% set s = '🎉' * 1000000 %}" + loop('{% set x = s[1:] %}'),
  'escaping a long text': "{% set s = '<' * 1000000 %}" + loop('{% set x = s | e %}'),
  'long lists': loop('{% set x = range(100000) | list %}'),
  'long dictionaries': '{% set d = dict.fromkeys(range(100000)) %}' + loop('{% set x = dict(d) %}'),
  parentheses: `{{ ${'('.repeat(deep)}1${')'.repeat(deep)} }}`,
  brackets: `{{ ${'['.repeat(deep)}${']'.repeat(deep)} }}`,
  'ifs in ifs': '{% if 1 %}'.repeat(deep) + '{% endif %}'.repeat(deep),
  'not not not': `{{ ${'not '.repeat(deep)}1 }}`,
  'minus minus': `{{ ${'-'.repeat(deep)}1 }}`,
  'a long sum': `{{ 1${'+1'.repeat(deep)} }}`,
  'attributes of attributes': `{{ a${'.b'.repeat(deep)} }}`,
  'filters of filters': `{{ 'a'${'|upper'.repeat(deep)} }}`,
  'a large template': 'x'.repeat(2_000_000),
  'tags that never end': '{{ '.repeat(deep),
  'a text that never ends': `{{ '${'\\'.repeat(900_000)}`,
  'a long number': `{{ ${'9'.repeat(900_000)} }}`,
};

test('templates that would run for ever, or fill the memory, end with an error', () => {
  for (const [name, template] of Object.entries(RUNAWAY)) {
    const before = process.cpuUsage();
    assert.throws(() => new Template(template).render({}), TemplateError, name);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 5e6, `${name}: ${user / 1e6} s`);
  }
  assert.equal(new Template('{{ [1, true] }}').render({}).text, '[1, True]');
});

test('long conversations are within the limits', () => {
  const messages = Array.from({ length: 2000 }, (_, i) => ({
    role: i % 2 ? 'assistant' : 'user',
    content: `<think>${'hm '.repeat(100)}</think>\n\n${'word '.repeat(200)}`,
  }));
  const template =
    "{% for m in messages %}{% set c = m.content.split('</think>')[-1].lstrip('\\n') %}<|{{ m.role }}|>{{ c | trim }}{% if loop.last and '<think>' in m.content %}!{% endif %}{% endfor %}";
  const { text } = new Template(template).render({ messages });
  assert.equal(text.length, 1000 * ('<|user|>'.length + '<|assistant|>'.length) + 2000 * 999 + 1);
});

test('spaces, comments and empty tags take no time, however many there are', () => {
  const text = new Template(`${' '.repeat(400_000)}x{{ 1 }}${' '.repeat(400_000)}y{# ${'#'.repeat(100_000)} #}`).render(
    {},
  ).text;
  assert.equal(text.trim().length, 400_003);
});
