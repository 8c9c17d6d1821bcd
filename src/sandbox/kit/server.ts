import type { z } from 'zod';
import { InputError } from '../../errors.js';
import { type Exchange, type FaultDial, faultRulesSchema } from './faults.js';
import { type HttpOptions, json, type RunningHttp, type SandboxReply, type SandboxRequest, startHttp } from './http.js';

/** Where every sandbox has its controls; never disturbed by the fault dial. */
export const CONTROL_PREFIX = '/_sandbox/';

export interface SandboxServerOptions extends HttpOptions {
  faults: FaultDial;
  /** Prepares a request to the vendor's own surface, without changing anything. */
  exchange(request: SandboxRequest): Exchange;
  /**
   * Answers a request below `/_sandbox/` other than the fault dial's; `route` is the rest of the path, say `journals`.
   * Undefined is answered with 404. May throw InputError (400 naming the field).
   */
  control?(route: string, request: SandboxRequest): SandboxReply | undefined;
}

/** Starts a sandbox: the fault dial's routes, the sandbox's own controls, and the vendor's surface under the dial. */
export async function startSandboxServer(options: SandboxServerOptions): Promise<RunningHttp> {
  const { faults } = options;
  const http = await startHttp((request) => {
    if (request.path.startsWith(CONTROL_PREFIX)) return answerControl(options, request);
    return faults.run(request.path, options.exchange(request));
  }, options);
  return {
    ...http,
    close: () => {
      faults.dispose();
      return http.close();
    },
  };
}

/** Parses the JSON body of a control request. @throws InputError naming the first unusable field. */
export function parseControlBody<Schema extends z.ZodType>(schema: Schema, request: SandboxRequest): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(request.body.toString('utf8'));
  } catch {
    throw new InputError('The body is not JSON.');
  }
  return parseInput(schema, value);
}

/** @throws InputError naming the first unusable field, such as `rules.0.kind`. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...(issue?.path ?? []), ...unknownKey].map(String);
  throw new InputError(`${path.join('.') || 'body'}: ${issue?.message ?? 'unusable'}`, path);
}

function answerControl(options: SandboxServerOptions, request: SandboxRequest): SandboxReply {
  const route = request.path.slice(CONTROL_PREFIX.length).replace(/\/+$/, '');
  try {
    const reply = route === 'faults' ? answerFaults(options.faults, request) : options.control?.(route, request);
    return reply ?? json(404, { error: `The sandbox has no control ${request.method} ${route}.` });
  } catch (error) {
    if (error instanceof InputError) return json(400, { error: error.userMessage, field: error.path.join('.') });
    throw error;
  }
}

function answerFaults(faults: FaultDial, request: SandboxRequest): SandboxReply | undefined {
  if (request.method === 'POST') {
    const { rules, seed } = parseControlBody(faultRulesSchema, request);
    faults.set(rules, seed);
  } else if (request.method === 'DELETE') {
    faults.clear();
  } else if (request.method !== 'GET') {
    return undefined;
  }
  return json(200, { rules: faults.list() });
}
