/** What every vendor's simulator is built from: a real HTTP server, a fault dial and repeatable random numbers. */
export {
  type Exchange,
  FAULT_KINDS,
  FaultDial,
  type FaultKind,
  type FaultRule,
  type FaultRuleInput,
  type FaultRuleStatus,
  faultRuleSchema,
  faultRulesSchema,
} from './faults.js';
export {
  DROP_CONNECTION,
  type HttpHandler,
  type HttpOptions,
  htmlPage,
  json,
  type RunningHttp,
  type SandboxReply,
  type SandboxRequest,
  startHttp,
  text,
} from './http.js';
export {
  type CompanySeed,
  companySeedSchema,
  type LedgerDocumentView,
  type LedgerLineView,
  type LedgerSandbox,
  type LedgerSummary,
  type ParsedCompanySeed,
} from './ledger.js';
export { answerLedgerControl, type ControlledLedger } from './ledgerControls.js';
export { type Random, seededRandom } from './random.js';
export {
  CONTROL_PREFIX,
  parseControlBody,
  parseInput,
  type SandboxServerOptions,
  startSandboxServer,
} from './server.js';
export { cdataText, isRecord, unescapeXml } from './xmlText.js';
