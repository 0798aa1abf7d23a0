// The provider on loopback: node provider.mjs PORT KEYS, where KEYS is a JSON Web Key Set with private keys.
// Everybody signs in with any password; whose name begins with "olga" is in the groups of operators.
import { Provider } from 'oidc-provider';

const [port, keys] = process.argv.slice(2);
const SCOPES = 'expediter/orders:read expediter/orders:write expediter/dlq';
const groupsOf = (sub) => (sub === 'olga' ? ['operators'] : sub.startsWith('olga-') ? [`operators-${sub.slice(5)}`] : []);

const provider = new Provider(`http://localhost:${port}`, {
  clients: [
    {
      client_id: 'expediter',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/console/sign-in/return', 'https://orders.example/console/sign-in/return'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
    {
      client_id: 'till',
      client_secret: 'a-secret-of-the-tests',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  jwks: JSON.parse(keys),
  cookies: { keys: ['a-secret-of-the-tests'] },
  claims: { openid: ['sub'], profile: ['name', 'groups'] },
  conformIdTokenClaims: false,
  findAccount: (_, sub) => ({ accountId: sub, claims: async () => ({ sub, name: `${sub} the tester`, groups: groupsOf(sub) }) }),
  extraTokenClaims: (_, token) => ({ groups: token.accountId ? groupsOf(token.accountId) : undefined }),
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:expediter',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: SCOPES,
        audience: 'expediter',
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'));
