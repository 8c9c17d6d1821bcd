import type { SageX3Settings } from './settings.js';

/** Fixed and worthless: they open nothing but this simulator. */
export const FAKE = {
  user: 'BREXAPI',
  password: 'sandbox-x3-password',
  appId: 'sandbox-x3-app',
  appSecret: 'sandbox-x3-app-secret-0123456789abcdef',
  cloudClientId: 'sandbox-x3-cloud',
  cloudClientSecret: 'sandbox-x3-cloud-secret',
  authorizationCode: 'sandbox-x3-authorization-code',
  refreshToken: 'sandbox-x3-refresh-token',
  redirectUri: 'http://127.0.0.1/oauth/sage-x3',
  machineClientId: 'sandbox-x3-machine',
  machineClientSecret: 'sandbox-x3-machine-secret',
  machineAudience: 'sandbox-x3-api',
  apiKeyHeader: 'X-API-Key',
  apiKey: 'sandbox-x3-api-key',
  /** Signs what the token servers give out; no client needs it. */
  signingKey: 'sandbox-x3-signing-key',
} as const;

/** Everything that a client needs to log in and to know the customer's set-up. Plain JSON. */
export function accessOf(url: string, settings: SageX3Settings) {
  const { endpoint, company, site, chart, costCentreType, secondType, entryTypes } = settings;
  return {
    baseUrl: url,
    folder: endpoint,
    basic: { user: FAKE.user, password: FAKE.password },
    /** The client signs its own HS256 token; `audience` is compared byte for byte. */
    connectedApp: {
      clientId: FAKE.appId,
      secret: FAKE.appSecret,
      user: FAKE.user,
      audience: `${url}/xtrem/api`,
      lifetimeSeconds: settings.connectedAppSeconds,
    },
    /** The regional gateway. After a renewal `refreshToken` is dead until `reset`. */
    cloud: {
      tokenUrl: `${url}/v1/token`,
      authoriseUrl: `${url}/v1/token/authorise`,
      clientId: FAKE.cloudClientId,
      clientSecret: FAKE.cloudClientSecret,
      customer: url,
      redirectUri: FAKE.redirectUri,
      scope: 'businessDomain.ALL api.graphQL',
      refreshToken: FAKE.refreshToken,
    },
    machine: {
      tokenUrl: `${url}/oauth/token`,
      audience: FAKE.machineAudience,
      clientId: FAKE.machineClientId,
      clientSecret: FAKE.machineClientSecret,
      apiKeyHeader: FAKE.apiKeyHeader,
      apiKey: FAKE.apiKey,
    },
    rest: {
      url: `${url}/api1/x3/erp/${endpoint}`,
      classes: settings.classes,
      createFacet: settings.createFacet,
      orderBySeparator: settings.orderBySeparator,
      dateLiteral: settings.dateLiteral,
      lineCollection: settings.lineCollection,
      analyticCollection: settings.analyticCollection,
      journalClass: settings.journalClass,
    },
    soap: {
      url: `${url}${SOAP_PATH}`,
      wsdlUrl: `${url}${WSDL_PATH}?wsdl`,
      poolAlias: settings.poolAlias,
      language: 'ENG',
      fieldNameAttribute: settings.fieldNameAttribute,
      publications: settings.publications,
      groups: settings.groups,
      template: settings.template,
    },
    graphql: { url: `${url}/xtrem/api`, packagePrefix: settings.packagePrefix },
    setup: {
      company,
      site,
      chart,
      entryType: entryTypes[0]?.code ?? '',
      journal: entryTypes[0]?.journal ?? '',
      /** In the order of the analytical slots. */
      dimensionTypes: [costCentreType, secondType.code],
      costCentreType,
      ledgerType: settings.ledgerTypes[0] ?? 1,
      supplierCategory: settings.supplierCategories[0]?.code ?? '',
    },
  };
}

export type SageX3Access = ReturnType<typeof accessOf>;

export const SOAP_PATH = '/soap-generic/syracuse/collaboration/syracuse/CAdxWebServiceXmlCC';
export const WSDL_PATH = '/soap-wsdl/syracuse/collaboration/syracuse/CAdxWebServiceXmlCC';
