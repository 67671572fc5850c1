export { portableKerberosOptions } from './portable-auth-data.ts';
export type { PortableKerberosAuthData } from './portable-auth-data.ts';
export { portableKerberosPackage } from './kerberos-package.ts';
export type { ReplayMemory } from './replay.ts';
export type { AcceptedServices, KeySource, ServiceKey, ServiceKeys } from './service-keys.ts';
