// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the interpolations are those of the templates under test.
/**
 * The simulated Expensify's FreeMarker. What is expected here is what FreeMarker's manual says; a friendlier interpreter
 * would let an export template pass that kills every job at the vendor.
 */
import { describe, expect, it } from 'vitest';
import { compileTemplate, TemplateDate, TemplateError } from '../../../src/sandbox/expensify/freemarker/index.js';

const MODEL = {
  n: 1234567,
  big: 4056343049275634494n,
  cents: -1050,
  rate: 1.08449,
  yes: true,
  text: 'a "quoted"\nline </b>',
  empty: '',
  list: ['x', 'y', 'z'],
  none: [],
  person: { first: 'Ana', tags: ['10', ''], nothing: null },
  day: new TemplateDate('date', Date.UTC(2026, 10, 3)),
};

function render(source: string, model: Record<string, unknown> = MODEL): string {
  return compileTemplate(source).render(model);
}

function faultOf(source: string): string {
  try {
    return `rendered: ${render(source)}`;
  } catch (error) {
    if (error instanceof TemplateError) return error.fault;
    throw error;
  }
}

describe('numbers', () => {
  it.each([
    ['${n}', '1,234,567'],
    ['${n?c}', '1234567'],
    ['${big}', '4,056,343,049,275,634,494'],
    ['${big?c}', '4056343049275634494'],
    ['${n?json_string}', '1,234,567'],
    ['${rate}', '1.084'],
    ['${rate?c}', '1.08449'],
    ['${(cents / 100)?string("0.00")}', '-10.50'],
    ['${(cents / 100)?c}', '-10.5'],
    ['${n?string("#,##0.00")}', '1,234,567.00'],
    ['${n?string.computer}', '1234567'],
    ['${"total " + n}', 'total 1,234,567'],
    ['#{cents / 100; m2M2}', '-10.50'],
    ['${1 / 3} ${2 / 3} ${-2 / 3} ${(1 / 8)?string("0.00")}', '0.333 0.667 -0.667 0.12'],
    ['${(0.1 + 0.2 == 0.3)?c} ${(2.50 == 2.5)?c}', 'true true'],
    ['${7 % 4} ${2 * 3 + 4} ${2 * (3 + 4)} ${-cents}', '3 10 14 1,050'],
    ['<#setting number_format="computer">${n}', '1234567'],
    ['<#setting number_format="0.##">${rate}', '1.08'],
    ['${"12.50"?number + 1}', '13.5'],
    ['${2.5?round} ${(-2.5)?round} ${2.7?floor} ${2.1?ceiling} ${cents?abs}', '3 -2 2 3 1,050'],
  ])('%s prints %s', (source, printed) => {
    expect(render(source)).toBe(printed);
  });

  it('refuse to become numbers from grouped text', () => {
    expect(faultOf('${"1,234"?number}')).toBe('TYPE');
    expect(faultOf('${""?number}')).toBe('TYPE');
  });
});

describe('what is missing', () => {
  it.each([
    '${person.last}',
    '${nobody}',
    '${nobody.last!"x"}',
    '${nobody.last??}',
    '<#if nobody></#if>',
    '<#list nobody as x></#list>',
    '${nobody?trim}',
    '${nobody?c}',
    '${person.nothing}',
  ])('stops %s', (source) => {
    expect(faultOf(source)).toBe('MISSING');
  });

  it.each([
    ['${person.last!"none"}', 'none'],
    ['${(nobody.last)!"none"}', 'none'],
    ['[${person.last!}]', '[]'],
    ['${(nobody.last)???c}', 'false'],
    ['${person.first???string("there", "gone")}', 'there'],
    [
      '${(nobody.last)?has_content?c} ${empty?has_content?c} ${none?has_content?c} ${list?has_content?c}',
      'false false false true',
    ],
    ['${((person.last)!"")?json_string}', ''],
    // Everything behind the sign belongs to the fallback: the template's author meant (a!1) + 2.
    ['${nobody!1 + 2}', '3'],
    ['${n!1 + 2}', '1,234,567'],
    ['${(nobody!1) + 2}', '3'],
    ['${((person.last)!"")?is_number?c} ${((n)!"")?is_number?c}', 'false true'],
  ])('is caught: %s prints %s', (source, printed) => {
    expect(render(source)).toBe(printed);
  });
});

describe('values of the wrong kind', () => {
  it.each([
    '${yes}',
    '${list}',
    '${person}',
    '<#if text></#if>',
    '<#if n == "1234567"></#if>',
    '<#if text < "b"></#if>',
    '${empty?c}',
    '${list.x}',
    '${text?size}',
    '${text?substring(3, 99)}',
    '<#list n as x></#list>',
    '${n.x}',
    '${"2026-11-03"?date}',
    '${1 / 0}',
    '${text?replace("(", "", "r")}',
    '<#macro again><@again/></#macro><@again/>',
  ])('stop %s', (source) => {
    expect(faultOf(source)).toBe('TYPE');
  });
});

describe('texts', () => {
  it.each([
    ['${text?json_string}', 'a \\"quoted\\"\\nline <\\/b>'],
    ['${"it\'s"?json_string} ${"it\'s"?js_string}', "it's it\\'s"],
    ['${"\\x1\\\\"?json_string}', '\\u0001\\\\'],
    ['${"é😀"?json_string}', 'é😀'],
    ['${text?html}', 'a &quot;quoted&quot;\nline &lt;/b&gt;'],
    ['${"  a "?trim?upper_case?lower_case}', 'a'],
    ['${"a.b.c"?replace(".", "-")}', 'a-b-c'],
    ['${"a1b22"?replace("[0-9]+", "#", "r")}', 'a#b#'],
    ['${"abcdef"?substring(1, 3)} ${"abcdef"[1..2]} ${"abcdef"?length}', 'bc bc 6'],
    ['${list?join(":")} ${list?size} ${list?first} ${list[1]} ${list?last}', 'x:y:z 3 x y z'],
    ['${"a:b"?split(":")?join("|")}', 'a|b'],
    ['${"${person.first} and ${n?c}"}', 'Ana and 1234567'],
    ['${r"${raw}"}', '${raw}'],
    ["${'single \\'quoted\\''}", "single 'quoted'"],
    ['${person["first"]} ${person?keys?join(",")}', 'Ana first,tags'],
    ['${yes?c} ${yes?string} ${yes?string("y", "n")} ${yes?then("a", "b")}', 'true true y a'],
    ['${day?string("yyyy-MM-dd")} ${day}', '2026-11-03 Nov 3, 2026'],
    ['${"2026-11-03 14:05:00"?datetime("yyyy-MM-dd HH:mm:ss")?string("dd.MM.yyyy h:mm a")}', '03.11.2026 2:05 PM'],
    ['${["a", "bb"]?map(x -> x?length)?join(",")} ${list?filter(x -> x != "y")?join("")}', '1,2 xz'],
    ['${{"a": 1}.a} ${(["p"] + ["q"])?join("")} ${list?seq_contains("y")?c}', '1 pq true'],
  ])('%s prints %s', (source, printed) => {
    expect(render(source)).toBe(printed);
  });
});

describe('directives', () => {
  it.each([
    ['<#list list as x>${x}<#sep>,</#list>', 'x,y,z'],
    ['<#list list as x>${x}<#sep>, </#sep>;</#list>', 'x, ;y, ;z;'],
    ['<#list list as x>${x_index}${x}<#if x_has_next>|</#if></#list>', '0x|1y|2z'],
    [
      '<#list list as x>${x?index}${x?counter}${x?has_next?c}${x?item_parity} </#list>',
      '01trueodd 12trueeven 23falseodd ',
    ],
    ['<#list none as x>${x}<#else>nothing</#list>', 'nothing'],
    ['<#list list>(<#items as x>${x}<#sep>,</#sep></#items>)<#else>none</#list>', '(x,y,z)'],
    ['<#list {"a": 1, "b": 2} as k, v>${k}=${v};</#list>', 'a=1;b=2;'],
    ['<#list 1..3 as i>${i}</#list><#list 0..<2 as i>${i}</#list>', '12301'],
    ['<#list list as x><#if x == "y"><#continue></#if>${x}</#list><#list list as x>${x}<#break></#list>', 'xzx'],
    ['<#if n gt 5>a<#elseif n lt 3>b<#else>c</#if>', 'a'],
    ['<#if (n > 5) && !none?has_content>a</#if>', 'a'],
    ['<#if n &gt; 5 || yes>a</#if>', 'a'],
    // The tag ends at the first ">": what was meant to be compared is printed.
    ['<#if yes> 5>a</#if>', ' 5>a'],
    ['<#assign a = 1, b = "x">${a}${b}<#assign a += 1>${a}<#assign a++>${a}', '1x23'],
    ['<#assign body>[${n?c}]</#assign>${body}${body}', '[1234567][1234567]'],
    ['<#macro line a b="B">${a}${b};</#macro><@line a="1"/><@line "2" "3"/>', '1B;23;'],
    ['<@late/><#macro late>now</#macro>', 'now'],
    ['<#macro twice><#nested 1>-<#nested 2></#macro><@twice ; x>${x}${n?c?length}</@twice>', '17-27'],
    ['<#macro m><#local q = 1><#assign p = 2>${q}</#macro><@m/>${p}${q!"-"}', '12-'],
    [
      '<#function cents x><#if x lt 0><#return "neg"></#if><#return (x / 100)?string("0.00")></#function>${cents(1050)} ${cents(-1)}',
      '10.50 neg',
    ],
    ['<#function f(x, y = 2)><#return x * y></#function>${f(4)} ${f(4, 3)}', '8 12'],
    ['<#escape x as x?html>${"<"}<#noescape>${"<"}</#noescape>${empty!"&"}</#escape>', '&lt;<'],
    ['<#escape x as (x)!"-">${nobody.name}</#escape>', '-'],
    ['<#compress>  a   b\n\n\n  c  </#compress>|', 'a b\nc|'],
    ['<#switch n><#case 1>a<#break><#case 1234567>b<#default>c</#switch>', 'bc'],
    ['<#attempt>a${nobody}<#recover>failed</#attempt>', 'failed'],
    ['a<#-- ${nobody} <#if> -->b', 'ab'],
    ['<#assign x = [1, 2] /><#list x as i>${i}<#if i?has_next>,</#if></#list>', '1,2'],
  ])('%s prints %s', (source, printed) => {
    expect(render(source)).toBe(printed);
  });

  it('keep macros and functions away from the loops of their callers', () => {
    expect(faultOf('<#macro m>${x}</#macro><#list list as x><@m/></#list>')).toBe('MISSING');
  });
});

describe('white space', () => {
  it.each([
    ['a line of tags leaves none', 'a\n<#if yes>\n  b\n</#if>\nc\n', 'a\n  b\nc\n'],
    ['an interpolation is no tag', 'a\n  ${n?c}\nb', 'a\n  1234567\nb'],
    // The example of FreeMarker's manual: a blank before the tag is content, those at the line's ends are not.
    ['the trimming tags', '--\n  1 <#t>\n  2<#t>\n  3<#lt>\n  4\n  5<#rt>\n  6\n--\n', '--\n1 23\n  4\n  5  6\n--\n'],
    ['<#lt> takes the left side', 'x\n   a  <#lt>\nb', 'x\na  \nb'],
    ['<#rt> takes the right side', 'x\n   a<#rt>  \nb', 'x\n   ab'],
    ['<#nt> protects its line', 'x\n  <#if yes><#nt>\n  a</#if>', 'x\n  \n  a'],
    ['a comment alone on its line leaves none', '${n?c}\n  <#-- c -->\nb', '1234567\nb'],
    ['the first text of a template keeps its indentation', 'a\n  <#if yes>\nb</#if>', 'a\n  b'],
    ['assignments between blank lines print nothing', '\n\n<#assign a = 1>\n\n<#assign b = 2>\nx', 'x'],
    ['the header can switch it off', '<#ftl strip_whitespace=false>\na\n<#if yes>\nb\n</#if>\n', 'a\n\nb\n\n'],
    ['Windows line ends count as one', 'a\r\n<#if yes>\r\nb\r\n</#if>\r\nc', 'a\r\nb\r\nc'],
  ])('%s', (_, source, printed) => {
    expect(render(source)).toBe(printed);
  });

  it('makes one line of each record in a template for newline-delimited JSON', () => {
    const source = [
      '{"k":"begin","v":1}',
      '<#list rows as r>',
      '<#list r.lines as e>',
      '{"k":"line",<#t>',
      '"id":"${((e.id)!"")?json_string}",<#t>',
      '  "amount":<#if ((e.amount)!"")?is_number>${e.amount?c}<#else>null</#if>,<#t>',
      '"flag":<#if ((e.flag)!false)>true<#else>false</#if>}',
      '</#list>',
      '</#list>',
      '{"k":"end"}',
      '',
    ].join('\n');
    const rows = [
      {
        lines: [
          { id: 'a"b', amount: 12345, flag: true },
          { id: 'c', amount: '' },
        ],
      },
      { lines: [] },
    ];
    const lines = render(source, { rows })
      .split('\n')
      .filter((line) => line.trim() !== '');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { k: 'begin', v: 1 },
      { k: 'line', id: 'a"b', amount: 12345, flag: true },
      { k: 'line', id: 'c', amount: null, flag: false },
      { k: 'end' },
    ]);
  });
});

describe('what it does not know', () => {
  it.each([
    '<#include "x.ftl">',
    '<#import "x.ftl" as x>',
    '<#visit x>',
    '<#noparse>${x}</#noparse>',
    '${n?eval}',
    '${n?string.currency}',
    '${.now}',
    '<#setting locale="de_DE">',
    '<#setting classic_compatible=true>',
    '<#ftl output_format="HTML">${n}',
  ])('is refused by name: %s', (source) => {
    expect(faultOf(source)).toBe('UNSUPPORTED');
  });

  it.each([
    '${n',
    '<#if yes>a',
    '<#if yes>a</#list>',
    '</#if>',
    '<#else>',
    '${n n}',
    '${}',
    '<#list as x></#list>',
    '<#-- open',
    '${"open}',
    '<@m>',
    'a<#ftl encoding="UTF-8">',
  ])('is told from what nobody could read: %s', (source) => {
    expect(faultOf(source)).toBe('SYNTAX');
  });

  it('says where', () => {
    expect(() => render('a\n  ${person.last}')).toThrow('person.last is missing or null. (line 2, column');
  });
});
