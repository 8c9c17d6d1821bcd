import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export const AUDIENCE = 'https://ledgergate.example';

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** An OpenID Connect issuer on this machine: its description, its keys, and tokens of every kind. */
export class FakeIssuer {
  /** The keys that it publishes, the one it signs with last. */
  keys: SigningKey[] = [];
  /** Answers nothing but 503. */
  isDown = false;
  /** How often its keys were asked for. */
  keyReads = 0;
  private readonly server: Server;

  private constructor(private readonly nowMs: () => number) {
    this.server = createServer(
      (request, response) =>
        void this.answer(request.url ?? '').then(({ status, body }) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        ),
    );
  }

  static async start(nowMs: () => number): Promise<FakeIssuer> {
    const issuer = new FakeIssuer(nowMs);
    await issuer.rotate('first');
    issuer.server.listen(0, '127.0.0.1');
    await once(issuer.server, 'listening');
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A new key to sign with; the old ones stay published until they are taken out of `keys`. */
  async rotate(kid: string, alg = 'RS256'): Promise<SigningKey> {
    const key = { kid, alg, ...(await generateKeyPair(alg, { extractable: true })) };
    this.keys.push(key);
    return key;
  }

  /** A token for Ada of tenant acme that is good for five minutes, but for what is given. */
  async token(
    claims: Record<string, unknown> = {},
    signedWith: SigningKey | undefined = this.keys.at(-1),
  ): Promise<string> {
    if (!signedWith) throw new Error('The issuer has no key.');
    return new SignJWT(this.claims(claims))
      .setProtectedHeader({ alg: signedWith.alg, kid: signedWith.kid })
      .sign(signedWith.privateKey);
  }

  /** What the tokens say; a claim given as undefined is left out. */
  claims(over: Record<string, unknown> = {}): JWTPayload {
    const seconds = Math.floor(this.nowMs() / 1_000);
    const usual = { iss: this.url, aud: AUDIENCE, sub: 'ada-1', tenant: 'acme', role: 'OPERATOR', exp: seconds + 300 };
    return Object.fromEntries(Object.entries({ ...usual, ...over }).filter(([, value]) => value !== undefined));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(path: string): Promise<{ status: number; body: unknown }> {
    if (this.isDown) return { status: 503, body: {} };
    if (path === '/.well-known/openid-configuration') {
      return { status: 200, body: { issuer: this.url, jwks_uri: `${this.url}/keys` } };
    }
    if (path !== '/keys') return { status: 404, body: {} };
    this.keyReads += 1;
    const keys = await Promise.all(
      this.keys.map(async ({ kid, alg, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' })),
    );
    return { status: 200, body: { keys } };
  }
}
