// Seeds a registry as it looks after some months, for screenshots and visits.

import type { Server } from './server';

const PARTNERS = ['Northwind Archive', 'Lumen Notaries', 'Atlas Custody', 'Meridian Labs', 'Söhne & Töchter GmbH'];

/** Creates partners and keys of every kind, by REST. */
export async function seed(server: Server): Promise<void> {
  const admin = server.cli(['key', 'issue', '--partner', 'Registry staff', '--scope', 'admin:*']).trim();
  const ids: string[] = [];
  for (const name of PARTNERS) {
    const made = await server.call('POST', '/api/admin/partners', admin, { name, contactEmail: `ops@${name.split(' ')[0]!.toLowerCase().replace('ö', 'oe')}.example` });
    ids.push(made.body.partner.partnerId);
  }
  const days = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString();
  const issue = async (partner: number, body: object) =>
    (await server.call('POST', '/api/admin/api-keys/issue', admin, { partnerId: ids[partner], ...body })).body;
  await issue(0, { scopes: ['assets:mint', 'assets:read'], name: 'Ingest' });
  await issue(3, { scopes: ['assets:read'], name: 'Nightly export', environment: 'test' });
  await issue(1, { scopes: ['assets:read', 'reverify'], notBefore: days(3), notAfter: days(93), name: 'Autumn audit' });
  const old = await issue(1, { scopes: ['assets:read', 'reverify'], notAfter: days(90), name: 'Ledger sync' });
  await server.call('GET', '/api/key', old.token);
  await server.call('POST', `/api/admin/api-keys/${old.keyId}/rotate`, admin, { graceSeconds: 604_800 });
  const gone = await issue(2, { scopes: ['transfer:execute', 'status:update'], name: 'Old vault' });
  await server.call('POST', `/api/admin/api-keys/${gone.keyId}/revoke`, admin, { reason: 'key_compromise' });
  await issue(2, { scopes: ['transfer:execute', 'status:update', 'audit:read'], name: 'Vault' });
  await issue(4, { scopes: ['reverify'], environment: 'development' });
  await server.call('PATCH', `/api/admin/partners/${ids[3]}`, admin, { active: false });
}
