import { z } from 'zod';
import { json, parseControlBody, parseInput, type SandboxReply, type SandboxRequest } from '../kit/index.js';
import type { ExpensifyHands } from './hands.js';
import { expenseSchema, reportSchema } from './seed.js';
import { REPORT_STATES } from './store.js';

const PAGE_ROWS = 100;
const clockSchema = z.strictObject({ now: z.string() });
const approveSchema = z.strictObject({ at: z.string().optional() });
const categorySchema = z.strictObject({ enabled: z.boolean().optional(), glCode: z.string().optional() });
const truncateSchema = z.strictObject({
  times: z.int().min(0).default(1),
  cut: z.enum(['lastLine', 'half']).default('lastLine'),
});

/** Answers the controls below `/_sandbox/`; they are listed in the README beside this file. @throws InputError */
export function answerControl(hands: ExpensifyHands, route: string, request: SandboxRequest): SandboxReply | undefined {
  const [room = '', id = '', action = '', name = ''] = route.split('/');
  const operation = [request.method, room, id === '' ? '' : ':id', action].filter(Boolean).join(' ');
  switch (operation) {
    case 'GET summary':
      return json(200, { ...hands.summary(), requests: hands.requestCounts() });
    case 'GET clock':
      return json(200, { now: hands.now() });
    case 'POST clock':
      return json(200, { now: hands.setNow(parseControlBody(clockSchema, request).now) });
    case 'GET settings':
      return json(200, hands.settings());
    case 'POST settings':
      return json(200, hands.changeSettings(parseControlBody(z.record(z.string(), z.unknown()), request)));
    case 'POST reset':
      hands.reset();
      return json(200, hands.summary());
    case 'GET requests':
      return json(200, hands.requestCounts());
    case 'GET jobs':
      return json(200, { jobs: hands.jobs() });
    case 'GET labels :id':
      return json(200, { label: id, reportIDs: hands.markedReports(id) });
    case 'POST truncate': {
      const { cut, times } = parseControlBody(truncateSchema, request);
      hands.truncateNextFiles(times, cut);
      return json(200, { times, cut });
    }
    case 'POST policies :id categories': {
      const { enabled, glCode } = parseControlBody(categorySchema, request);
      const change = { ...(enabled === undefined ? {} : { enabled }), ...(glCode === undefined ? {} : { glCode }) };
      hands.changeCategory(id, name, change);
      return json(200, { policyID: id, name, ...change });
    }
    case 'POST expenses :id edit':
      return json(200, hands.editExpense(id, parseControlBody(z.record(z.string(), z.unknown()), request)));
    default:
      return room === 'reports' ? answerReports(hands, operation, id, request) : undefined;
  }
}

function answerReports(
  hands: ExpensifyHands,
  operation: string,
  id: string,
  request: SandboxRequest,
): SandboxReply | undefined {
  switch (operation) {
    case 'GET reports':
      return json(200, page(hands, request.query));
    case 'GET reports :id':
      return json(200, hands.report(id));
    case 'POST reports':
      return json(200, hands.addReport(parseControlBody(reportSchema, request)));
    case 'POST reports :id approve': {
      const { at } = request.body.length === 0 ? {} : parseControlBody(approveSchema, request);
      return json(200, hands.approve(id, at));
    }
    case 'POST reports :id unapprove':
      return json(200, hands.unapprove(id));
    case 'POST reports :id reimburse':
      return json(200, hands.reimburse(id));
    case 'POST reports :id expenses':
      return json(200, hands.addExpense(id, parseControlBody(expenseSchema, request)));
    default:
      return undefined;
  }
}

function page(hands: ExpensifyHands, query: URLSearchParams) {
  const state = parseInput(z.enum(REPORT_STATES).optional(), query.get('state') ?? undefined);
  const all = hands.reports(state);
  const offset = Number(query.get('offset') ?? 0) || 0;
  const limit = Number(query.get('limit') ?? PAGE_ROWS) || PAGE_ROWS;
  return { total: all.length, reports: all.slice(offset, offset + limit) };
}
