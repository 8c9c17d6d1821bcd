/** Turns what the API says into elements. Text is only ever set as text. */

/** @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string | null)} children */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name === 'className' ? 'class' : name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** One sentence for each status, and the tone it is shown in. */
export const STATUSES = {
  PLANNED: { text: 'Planned', tone: '' },
  HELD: { text: 'Waits for a person', tone: 'wait' },
  AWAITING_APPROVAL: { text: 'Waits for approval', tone: 'wait' },
  READY: { text: 'Ready to send', tone: '' },
  POSTING: { text: 'Being sent', tone: '' },
  IN_DOUBT: { text: 'Asking the ledger', tone: 'wait' },
  POSTED: { text: 'In the ledger', tone: 'good' },
  REJECTED: { text: 'Refused by the ledger', tone: 'bad' },
  CANCELLED: { text: 'Cancelled', tone: '' },
  REVERSED: { text: 'Reversed', tone: '' },
};

const SYSTEM_STATUSES = {
  ACTIVE: { text: 'Connected', tone: 'good' },
  NEEDS_REAUTHORISATION: { text: 'Needs new credentials', tone: 'bad' },
  UNREACHABLE: { text: 'Does not answer', tone: 'wait' },
  DISABLED: { text: 'Switched off', tone: '' },
};

const RUN_STATUSES = {
  QUEUED: { text: 'Queued', tone: '' },
  RUNNING: { text: 'Running', tone: '' },
  SUCCEEDED: { text: 'Succeeded', tone: 'good' },
  PARTIAL: { text: 'Partly', tone: 'wait' },
  FAILED: { text: 'Failed', tone: 'bad' },
  CANCELLED: { text: 'Cancelled', tone: '' },
};

const HOLDS = {
  ACCOUNT_MISSING: 'The account is not in the ledger',
  ACCOUNT_INACTIVE: 'The account is closed in the ledger',
  DIMENSION_MISSING: 'A cost centre or dimension is not in the ledger',
  VENDOR_UNMATCHED: 'No supplier is known for the merchant',
  VENDOR_REVIEW: 'The supplier has to be confirmed',
  SUPPLIER_INACTIVE: 'The supplier is blocked in the ledger',
  MAPPING_MISSING: 'No rule says which account',
  PERIOD_CLOSED: 'The fiscal period is closed',
  UNBALANCED: 'Debit and credit differ',
  CURRENCY_UNSUPPORTED: 'The ledger does not keep this currency',
  LEDGER_REJECTED: 'The ledger refused it',
  SUSPECTED_DUPLICATE: 'It may be in the ledger already',
  APPROVAL_REQUIRED: 'Somebody else has to approve it',
};

const sentenceOf = (code) => HOLDS[code] ?? code.toLowerCase().replaceAll('_', ' ');

export function badge({ text, tone }) {
  return h('span', { className: `badge ${tone}` }, text);
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function moment(text) {
  return text ? h('time', { datetime: text }, moments.format(new Date(text))) : '–';
}

/** Groups the digits of exact decimal text without ever making a number of it. */
export function amount(text, currency) {
  const [whole, fraction] = text.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return `${fraction === undefined ? grouped : `${grouped}.${fraction}`}${currency ? ` ${currency}` : ''}`;
}

function facts(entries) {
  return h(
    'dl',
    { className: 'facts' },
    ...entries.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
  );
}

export function systemCard(system) {
  const { renewBy } = system.credential;
  return h(
    'article',
    { className: 'card' },
    h('h3', {}, system.name),
    badge(SYSTEM_STATUSES[system.status]),
    facts([
      ['Kind', `${system.kind}, ${system.role === 'SPEND' ? 'spend' : 'ledger'}`],
      ['Address', system.baseUrl],
      ['Last checked', moment(system.lastCheckedAt)],
      ...(renewBy ? [['Renew by', moment(renewBy)]] : []),
    ]),
  );
}

export function pipelineCard(pipeline) {
  const run = pipeline.lastSync;
  return h(
    'article',
    { className: 'card' },
    h('h3', {}, pipeline.name),
    badge(
      pipeline.enabled
        ? run
          ? RUN_STATUSES[run.status]
          : { text: 'Not run yet', tone: '' }
        : { text: 'Switched off', tone: '' },
    ),
    facts([
      ['Flow', `${pipeline.source.name} → ${pipeline.ledger.name}`],
      ['Last sync', run ? moment(run.finishedAt ?? run.startedAt ?? run.createdAt) : '–'],
      ...(run ? [['Read', `${run.recordsRead} (${run.recordsNew} new, ${run.recordsChanged} changed)`]] : []),
      ...(run?.error ? [['Problem', run.error]] : []),
      ['Next sync', pipeline.nextSyncAt ? moment(pipeline.nextSyncAt) : 'on demand'],
    ]),
  );
}

export function alertItem(alert) {
  return h(
    'li',
    { className: `alert ${alert.severity.toLowerCase()}` },
    h('strong', {}, { INFO: 'Note', WARNING: 'Warning', CRITICAL: 'Urgent' }[alert.severity]),
    h('span', {}, alert.message),
    moment(alert.raisedAt),
  );
}

export function postingRow(posting, isFresh) {
  const words = posting.holds.length
    ? posting.holds.map((hold) => h('div', {}, hold.message, ' ', h('span', { className: 'advice' }, hold.resolution)))
    : [posting.ledgerDocumentId ? h('code', {}, posting.ledgerDocumentId) : ''];
  return h(
    'tr',
    { id: posting.id, className: isFresh ? 'fresh' : null },
    h('th', { scope: 'row' }, h('code', {}, posting.reference)),
    h('td', { className: 'day' }, posting.postingDate),
    h('td', { className: 'number' }, amount(posting.totalDebit, posting.currency)),
    h('td', {}, badge(STATUSES[posting.status])),
    h('td', { className: 'words' }, ...words),
  );
}

/** What needs a person, by reason: what is wrong, what to do, which postings. */
export function attentionCards(postings) {
  const groups = new Map();
  for (const posting of postings) {
    for (const hold of posting.holds) {
      const group = groups.get(hold.code) ?? { resolutions: new Set(), postings: new Set(), example: hold.message };
      group.resolutions.add(hold.resolution);
      group.postings.add(posting);
      groups.set(hold.code, group);
    }
  }
  return [...groups]
    .sort(([, a], [, b]) => b.postings.size - a.postings.size)
    .map(([code, group]) =>
      h(
        'article',
        { className: 'card group' },
        h('span', { className: 'count' }, String(group.postings.size), h('span', { className: 'unseen' }, ' postings')),
        h('h3', {}, sentenceOf(code)),
        h('p', {}, group.example),
        ...[...group.resolutions]
          .slice(0, 3)
          .map((text) => h('p', { className: 'advice' }, h('strong', {}, 'What to do: '), text)),
        h(
          'details',
          {},
          h('summary', {}, 'Which ones'),
          h('p', { className: 'refs' }, ...[...group.postings].map(({ reference }) => h('code', {}, reference))),
        ),
      ),
    );
}

export function reconciliationTable(report) {
  const isZero = (text) => /^-?0(\.0+)?$/.test(text);
  const isEven = report.totals.every(({ difference }) => isZero(difference));
  const tone = (column, text) => (column === 'difference' && !isZero(text) ? 'number off' : 'number');
  const columns = ['source', 'posted', 'held', 'excluded', 'rejected', 'inFlight', 'unknown', 'difference'];
  const titles = ['Source', 'Posted', 'Held', 'Excluded', 'Rejected', 'In flight', 'Unknown', 'Difference'];
  const verdict = isEven
    ? { tone: 'good', text: 'Every cent is accounted for: the difference is zero.' }
    : { tone: 'bad', text: 'The difference is not zero. Somebody has to look at it.' };
  return h(
    'div',
    {},
    h('p', { className: `verdict ${verdict.tone}` }, verdict.text),
    ...(report.complete ? [] : [h('p', { className: 'verdict bad' }, `Not complete: ${report.unknowns.join('; ')}`)]),
    h(
      'div',
      { className: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Reconciliation by currency' },
      h(
        'table',
        {},
        h('caption', { className: 'unseen' }, `${report.from} to ${report.to}`),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'Currency'),
            ...titles.map((title) => h('th', { scope: 'col', className: 'number' }, title)),
            h('th', { scope: 'col', className: 'number' }, 'Records'),
          ),
        ),
        h(
          'tbody',
          {},
          ...report.totals.map((total) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, total.currency),
              ...columns.map((column) => h('td', { className: tone(column, total[column]) }, amount(total[column]))),
              h('td', { className: 'number' }, String(total.recordCount)),
            ),
          ),
        ),
      ),
    ),
  );
}

export function liveItem(event) {
  const before = event.previousStatus ? `${STATUSES[event.previousStatus].text} → ` : '';
  return h(
    'li',
    {},
    h('code', {}, event.posting.reference),
    ` ${before}${STATUSES[event.status].text}, `,
    moment(event.occurredAt),
  );
}
