import { ask, follow, Refused } from './api.js';
import {
  alertItem,
  attentionCards,
  h,
  liveItem,
  pipelineCard,
  postingRow,
  reconciliationTable,
  STATUSES,
  systemCard,
} from './views.js';

const KEY = 'ledgergate.key';
const LIVE_MAX = 30;
const OVERVIEW_EVERY_MS = 30_000;

const POSTING = `fragment Row on GlPosting {
  id reference postingDate currency totalDebit status ledgerDocumentId holds { code message resolution }
}`;
const OVERVIEW = `query Overview {
  viewer { tenant name role }
  systems { id name kind role status baseUrl lastCheckedAt credential { renewBy } }
  pipelines {
    id name enabled nextSyncAt source { name } ledger { name }
    lastSync { status createdAt startedAt finishedAt recordsRead recordsNew recordsChanged error }
  }
  alerts { id severity message raisedAt }
  held: glPostings(filter: { statuses: [HELD] }, first: 200) { totalCount nodes { ...Row } }
  approval: glPostings(filter: { statuses: [AWAITING_APPROVAL] }, first: 1) { totalCount }
  doubt: glPostings(filter: { statuses: [IN_DOUBT] }, first: 1) { totalCount }
  rejected: glPostings(filter: { statuses: [REJECTED] }, first: 1) { totalCount }
  posted: glPostings(filter: { statuses: [POSTED] }, first: 1) { totalCount }
} ${POSTING}`;
const POSTINGS = `query Postings($filter: GlPostingFilter, $after: String) {
  glPostings(filter: $filter, first: 25, after: $after) { nodes { ...Row } pageInfo { hasNextPage endCursor } }
} ${POSTING}`;
const RECONCILIATION = `query Reconciliation($pipelineId: ID!, $from: Date!, $to: Date!) {
  reconciliation(pipelineId: $pipelineId, from: $from, to: $to) {
    from to complete unknowns
    totals { currency source posted held excluded rejected inFlight unknown difference recordCount }
  }
}`;
const CHANGES = `subscription Changes($after: String) {
  postingStatusChanged(after: $after) { cursor previousStatus status occurredAt posting { ...Row } }
} ${POSTING}`;

const at = (id) => document.getElementById(id);
let key = null;
let nextPage = null;
let stopFollowing = null;
let overviewTimer = null;

function show(isIn) {
  at('signIn').hidden = isIn;
  at('app').hidden = !isIn;
  at('nav').hidden = !isIn;
  at('who').hidden = !isIn;
}

function report(error) {
  if (error instanceof Refused && error.code === 'UNAUTHENTICATED') {
    signOut('This key is not valid (any more).');
    return;
  }
  at('problem').textContent = error instanceof Refused ? error.message : 'The gateway does not answer. Trying again.';
  at('problem').hidden = false;
}

async function signIn(candidate) {
  key = candidate;
  await loadOverview();
  sessionStorage.setItem(KEY, candidate);
  show(true);
  await loadPostings();
  stopFollowing = follow({
    key: candidate,
    query: CHANGES,
    cursorOf: ({ postingStatusChanged }) => postingStatusChanged.cursor,
    onEvent: ({ postingStatusChanged }) => onChange(postingStatusChanged),
    onState: (isOn) => {
      at('liveState').textContent = isOn ? 'Live' : 'Reconnecting …';
      at('liveState').classList.toggle('on', isOn);
    },
  });
  overviewTimer = setInterval(() => loadOverview().catch(report), OVERVIEW_EVERY_MS);
}

function signOut(message = '') {
  sessionStorage.removeItem(KEY);
  key = null;
  stopFollowing?.();
  clearInterval(overviewTimer);
  show(false);
  at('signInError').textContent = message;
  at('key').focus();
}

async function loadOverview() {
  const data = await ask(key, OVERVIEW);
  at('problem').hidden = true;
  at('whoText').textContent = `${data.viewer.name} · ${data.viewer.role.toLowerCase()} · ${data.viewer.tenant}`;
  at('figures').replaceChildren(
    figure(data.held.totalCount, 'wait for a person', 'HELD'),
    figure(data.approval.totalCount, 'wait for approval', 'AWAITING_APPROVAL'),
    figure(data.doubt.totalCount, 'being asked for', 'IN_DOUBT'),
    figure(data.rejected.totalCount, 'refused by the ledger', 'REJECTED'),
    figure(data.posted.totalCount, 'in the ledger', 'POSTED'),
  );
  at('alertsSection').hidden = data.alerts.length === 0;
  at('alerts').replaceChildren(...data.alerts.map(alertItem));
  const cards = attentionCards(data.held.nodes);
  at('attentionList').replaceChildren(
    ...(cards.length ? cards : [h('p', { className: 'empty' }, 'Nothing. Everything is on its way.')]),
  );
  at('pipelineList').replaceChildren(...orNone(data.pipelines.map(pipelineCard), 'No pipeline yet.'));
  at('systemList').replaceChildren(...orNone(data.systems.map(systemCard), 'No system is connected yet.'));
  fill(at('pipelineFilter'), [['', 'All'], ...data.pipelines.map(({ id, name }) => [id, name])]);
  fill(
    at('reconciliationPipeline'),
    data.pipelines.map(({ id, name }) => [id, name]),
  );
}

function orNone(items, text) {
  return items.length ? items : [h('p', { className: 'empty' }, text)];
}

function figure(count, text, status) {
  const choose = () => {
    at('statusFilter').value = status;
    loadPostings().catch(report);
    at('postings').scrollIntoView();
  };
  return h(
    'button',
    { type: 'button', className: 'figure', onclick: choose },
    h('strong', {}, String(count)),
    h('span', {}, text),
  );
}

/** Keeps what is chosen. */
function fill(select, options) {
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, text]) => h('option', { value }, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

function filter() {
  const status = at('statusFilter').value;
  const pipelineId = at('pipelineFilter').value;
  return { ...(status ? { statuses: [status] } : {}), ...(pipelineId ? { pipelineId } : {}) };
}

async function loadPostings(after = null) {
  const { glPostings } = await ask(key, POSTINGS, { filter: filter(), after });
  const rows = glPostings.nodes.map((posting) => postingRow(posting, false));
  if (after) at('postingRows').append(...rows);
  else at('postingRows').replaceChildren(...rows);
  nextPage = glPostings.pageInfo.hasNextPage ? glPostings.pageInfo.endCursor : null;
  at('more').hidden = nextPage === null;
  at('noPostings').hidden = at('postingRows').childElementCount > 0;
}

function onChange(event) {
  at('liveEmpty').hidden = true;
  at('live').prepend(liveItem(event));
  while (at('live').childElementCount > LIVE_MAX) at('live').lastElementChild.remove();
  const { posting } = event;
  const row = document.getElementById(posting.id);
  const wanted = filter();
  const fits = !wanted.statuses || wanted.statuses.includes(posting.status);
  if (row && !fits) row.remove();
  else if (row) row.replaceWith(postingRow(posting, true));
  // A new posting of another pipeline cannot be told from here: the filter by pipeline shows it when it is read again.
  else if (fits && !wanted.pipelineId) at('postingRows').prepend(postingRow(posting, true));
  at('noPostings').hidden = at('postingRows').childElementCount > 0;
  setTimeout(() => document.getElementById(posting.id)?.classList.remove('fresh'), 1_500);
}

async function reconcile() {
  const [year, month] = at('month').value.split('-').map(Number);
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const data = await ask(key, RECONCILIATION, {
    pipelineId: at('reconciliationPipeline').value,
    from: `${at('month').value}-01`,
    to: `${at('month').value}-${last}`,
  });
  at('reconciliationResult').replaceChildren(reconciliationTable(data.reconciliation));
}

fill(at('statusFilter'), [['', 'All'], ...Object.entries(STATUSES).map(([value, { text }]) => [value, text])]);
at('month').value = new Date().toISOString().slice(0, 7);
at('statusFilter').addEventListener('change', () => loadPostings().catch(report));
at('pipelineFilter').addEventListener('change', () => loadPostings().catch(report));
at('more').addEventListener('click', () => loadPostings(nextPage).catch(report));
at('signOut').addEventListener('click', () => signOut());
at('signInForm').addEventListener('submit', (event) => {
  event.preventDefault();
  const candidate = at('key').value.trim();
  at('signInError').textContent = '';
  signIn(candidate)
    .then(() => {
      at('key').value = '';
      at('main').focus();
    })
    .catch((error) => {
      at('signInError').textContent = error instanceof Refused ? error.message : 'The gateway does not answer.';
    });
});
at('reconciliationForm').addEventListener('submit', (event) => {
  event.preventDefault();
  reconcile().catch((error) => {
    const text = error instanceof Refused ? error.message : 'The gateway does not answer.';
    at('reconciliationResult').replaceChildren(h('p', { className: 'error' }, text));
  });
});

const kept = sessionStorage.getItem(KEY);
if (kept)
  signIn(kept).catch((error) => signOut(error instanceof Refused ? error.message : 'The gateway does not answer.'));
