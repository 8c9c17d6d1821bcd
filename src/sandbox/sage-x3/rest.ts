import { type Exchange, type SandboxReply, type SandboxRequest, text } from '../kit/index.js';
import { exactJson } from './amounts.js';
import { type Item, type RestClass, restClass } from './classes.js';
import type { X3Company } from './company.js';
import { createByRest, prototypeOf, templateOf } from './restWriting.js';
import type { X3Tokens } from './tokens.js';
import { type Condition, parseOrder, parseWhere, QueryError } from './where.js';
import { words } from './words.js';

interface Asked {
  endpoint: string;
  className: string;
  /** Of `CLASS('KEY')`. */
  key: string | undefined;
  /** After the class: `$template`, or `$prototypes('…')`. */
  rest: string;
}

/** The REST Web API below `/api1/` (reference: REST Web API). */
export class X3Rest {
  constructor(
    private readonly company: X3Company,
    private readonly tokens: X3Tokens,
    private readonly url: () => string,
    private readonly count: (operation: string) => void,
  ) {}

  /** Prepares a request; who calls is settled now, and everything else by `commit`. */
  exchange(request: SandboxRequest): Exchange {
    const platform = platformEntity(request.path);
    const asked = platform === undefined ? parsePath(request.path) : undefined;
    const operation = platform === undefined ? operationOf(request, asked) : `REST platform ${platform}`;
    this.count(operation);
    let admission = this.tokens.admit(request);
    return {
      operation,
      expireSession: () => {
        this.tokens.end(request);
        admission = { refusal: text(401, 'Unauthorized') };
      },
      serverError: () => this.diagnoses(500, 'Internal server error'),
      commit: () => {
        if ('refusal' in admission) return admission.refusal;
        if (platform !== undefined) return this.platform(platform, request);
        return asked === undefined ? this.diagnoses(404, 'Resource not found') : this.answer(asked, request);
      },
    };
  }

  private answer(asked: Asked, request: SandboxRequest): SandboxReply {
    if (asked.endpoint !== this.company.codes.endpoint)
      return this.diagnoses(404, `Endpoint ${asked.endpoint} not found`);
    const { journalClass } = this.company.settings;
    const found = restClass(this.company, asked.className);
    const writable = journalClass !== null && asked.className === journalClass;
    if (found === undefined && !writable) return this.diagnoses(404, `Class ${asked.className} not found`);
    if (asked.rest.startsWith('$prototypes(')) return this.reply(200, prototypeOf(this.company, found));
    const [representation = '', facet = ''] = splitFacet(request.query.get('representation') ?? '');
    if (representation !== asked.className) {
      const { wrongRepresentationStatus } = this.company.settings;
      return this.diagnoses(
        wrongRepresentationStatus,
        `Representation ${representation} not found in ${asked.className}`,
      );
    }
    if (request.method === 'POST') return this.create(asked, request, facet);
    if (request.method !== 'GET') return this.diagnoses(405, 'Method not allowed for this class');
    if (asked.rest === '$template') return this.reply(200, templateOf(this.company, asked.className));
    if (found === undefined) return this.diagnoses(405, 'Facet not available');
    if (asked.key !== undefined) return facet === '$details' ? this.details(found, asked.key) : this.noFacet(facet);
    return facet === '$query' ? this.query(found, request) : this.noFacet(facet);
  }

  private noFacet(facet: string): SandboxReply {
    return this.diagnoses(this.company.settings.wrongRepresentationStatus, `Facet ${facet} not found`);
  }

  private query(found: RestClass, request: SandboxRequest): SandboxReply {
    const { settings } = this.company;
    const asked = Number(request.query.get('count') ?? settings.pageSize);
    // A larger count is lowered without a word: only `$itemsPerPage` tells.
    const size = Math.min(Number.isInteger(asked) && asked > 0 ? asked : settings.pageSize, settings.pageCap);
    try {
      const where = request.query.get('where') ?? '';
      const condition = where.trim() === '' ? undefined : parseWhere(where, found.fields, settings);
      const order = request.query.get('orderBy') ?? '';
      const compare = order === '' ? undefined : parseOrder(order, found.fields, settings.orderBySeparator);
      const position = readPosition(request.query.get('key'));
      let items: Item[];
      let more: boolean;
      if (compare === undefined && position.from !== 'END') {
        ({ items, more } = firstPage(candidates(found, condition, position.after), condition, position.after, size));
      } else {
        const all = [...matching(candidates(found, condition, undefined), condition)];
        if (compare !== undefined) all.sort((a, b) => compare(a.row, b.row) || (a.key < b.key ? -1 : 1));
        const after = position.after;
        const at =
          position.from === 'END'
            ? Math.max(0, all.length - size)
            : after === undefined
              ? 0
              : all.findIndex((item) => item.key === after) + 1;
        items = all.slice(at, at + size);
        more = at + size < all.length;
      }
      return this.page(request, items, more, size);
    } catch (error) {
      if (error instanceof QueryError) return this.diagnoses(500, error.message);
      throw error;
    }
  }

  private page(request: SandboxRequest, items: readonly Item[], more: boolean, size: number): SandboxReply {
    const link = (key: string): Record<string, string> => {
      const query = new URLSearchParams(request.query);
      query.set('count', String(size));
      query.set('key', key);
      const path = request.target.split('?')[0] ?? '';
      const origin = this.company.settings.linkOrigin ?? this.url();
      const $url = `${origin}${path}?${query.toString().replaceAll('+', '%20')}`;
      return { $url, $type: 'application/json', $method: 'GET' };
    };
    const last = items.at(-1);
    const $links = {
      ...(more && last !== undefined ? { $next: link(`gt.${last.key}`) } : {}),
      ...(items.length > 0 ? { $last: link('lt') } : {}),
    };
    return this.reply(200, { $itemsPerPage: size, $resources: items.map((item) => item.row), $links });
  }

  private details(found: RestClass, key: string): SandboxReply {
    const resource = found.details(key);
    // A record that is not there is answered with 200 as well (reference: `$details`).
    return resource === undefined ? this.diagnoses(200, words.missingRecord) : this.reply(200, resource);
  }

  private create(asked: Asked, request: SandboxRequest, facet: string): SandboxReply {
    const { settings } = this.company;
    if (facet !== settings.createFacet) return this.noFacet(facet);
    const outcome = createByRest(this.company, asked.className, request.body.toString('utf8'));
    if (outcome === undefined) return this.diagnoses(405, `Class ${asked.className} cannot be written`);
    if ('refused' in outcome) {
      const diagnoses = diagnosesOf(outcome.refused);
      // Also a refusal comes with the status of success (reference: create, update, delete).
      const body =
        settings.diagnosesPlace === 'ROOT' ? { $diagnoses: diagnoses } : { $resource: { $diagnoses: diagnoses } };
      return this.reply(settings.refusedCreateStatus, body);
    }
    const path = (request.target.split('?')[0] ?? '').replace(/\/$/, '');
    const location = `${settings.linkOrigin ?? this.url()}${path}('${encodeURIComponent(outcome.key)}')`;
    const $links = { $save: { $url: location, $type: 'application/json', $method: 'PUT' } };
    return this.reply(201, { ...outcome.resource, $links }, { location });
  }

  private platform(entity: string, request: SandboxRequest): SandboxReply {
    const { endpoint } = this.company.codes;
    const start = /^soapClassicPools\(alias eq '([^']+)'\)\/\$service\/start$/.exec(entity);
    if (start !== null && request.method === 'POST') {
      if (start[1] !== this.company.settings.poolAlias) return this.diagnoses(404, 'Pool not found');
      this.company.settings.poolStarted = true;
      return this.reply(200, { $diagnoses: [{ $severity: 'info', $message: 'Pool started' }] });
    }
    const rows: Record<string, unknown>[] | undefined =
      entity === 'endPoints'
        ? [
            {
              $uuid: '00000000-0000-4000-8000-000000000001',
              $key: '1',
              dataset: endpoint,
              name: endpoint,
              description: this.company.seed.name,
            },
          ]
        : entity === 'soapClassicPools'
          ? [
              {
                $uuid: '00000000-0000-4000-8000-000000000002',
                $key: '1',
                alias: this.company.settings.poolAlias,
                started: this.company.settings.poolStarted,
              },
            ]
          : undefined;
    if (rows === undefined || request.method !== 'GET') return this.diagnoses(404, `Entity ${entity} not found`);
    if (request.query.get('representation') !== `${entity}.$query`)
      return this.noFacet(request.query.get('representation') ?? '');
    return this.reply(200, {
      $itemsPerPage: 20,
      $startIndex: 1,
      $totalResults: rows.length,
      $resources: rows,
      $links: {},
    });
  }

  private diagnoses(status: number, message: string): SandboxReply {
    return this.reply(status, { $diagnoses: diagnosesOf([message]) });
  }

  private reply(status: number, value: unknown, headers: Record<string, string> = {}): SandboxReply {
    const body = exactJson(value, this.company.settings.decimalsAsText);
    return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body };
  }
}

function diagnosesOf(messages: readonly string[]) {
  return messages.map(($message) => ({ $severity: 'error', $message }));
}

function platformEntity(path: string): string | undefined {
  return /^\/api1\/syracuse\/collaboration\/syracuse\/(.+?)\/?$/.exec(path)?.[1];
}

function parsePath(path: string): Asked | undefined {
  const match = /^\/api1\/x3\/erp\/([^/]+)\/([A-Za-z0-9_]+)(?:\('([^']*)'\))?(?:\/(\$.+?))?\/?$/.exec(path);
  if (match === null) return undefined;
  return { endpoint: match[1] ?? '', className: match[2] ?? '', key: match[3], rest: match[4] ?? '' };
}

function splitFacet(representation: string): string[] {
  const cut = representation.lastIndexOf('.');
  return cut < 0 ? [representation, ''] : [representation.slice(0, cut), representation.slice(cut + 1)];
}

function operationOf(request: SandboxRequest, asked: Asked | undefined): string {
  if (asked === undefined) return 'REST unknown';
  if (asked.rest !== '') return `REST ${asked.rest.split('(')[0]} ${asked.className}`;
  const [, facet = ''] = splitFacet(request.query.get('representation') ?? '');
  return `REST ${request.method === 'GET' ? facet : request.method} ${asked.className}`;
}

/** `gt.<key>` continues after a key; `lt` alone is the last page (reference: `$query` parameters). */
function readPosition(key: string | null): { after: string | undefined; from: 'START' | 'END' } {
  if (key === null) return { after: undefined, from: 'START' };
  if (key === 'lt') return { after: undefined, from: 'END' };
  if (!key.startsWith('gt.')) throw new QueryError(`Unknown key '${key}'`);
  return { after: key.slice(3), from: 'START' };
}

/** Few items where an index can answer, else all of them, lazily. */
function candidates(found: RestClass, condition: Condition | undefined, after: string | undefined): Iterable<Item> {
  // A day may hold many journals, a reference or a number holds few.
  const equals = [...(condition?.equals ?? [])].sort(
    (a, b) => Number(a.field === 'ACCDAT') - Number(b.field === 'ACCDAT'),
  );
  for (const { field, value } of equals) {
    const indexed = found.withValue(field, value);
    if (indexed !== undefined) return indexed.sort((a, b) => (a.key < b.key ? -1 : 1));
  }
  return found.above(after);
}

function* matching(items: Iterable<Item>, condition: Condition | undefined): Generator<Item> {
  for (const item of items) if (condition === undefined || condition.matches(item.row)) yield item;
}

function firstPage(items: Iterable<Item>, condition: Condition | undefined, after: string | undefined, size: number) {
  const page: Item[] = [];
  for (const item of matching(items, condition)) {
    if (after !== undefined && item.key <= after) continue;
    if (page.length === size) return { items: page, more: true };
    page.push(item);
  }
  return { items: page, more: false };
}
