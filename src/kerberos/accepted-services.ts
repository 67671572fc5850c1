/** Which services' tickets are accepted. */
import { namesService } from '../formats/kerberos/service-principal-name.ts';

/** Whether a service name is that of an HTTP service: `HTTP/host`, in any case (RFC 4559 section 4.1). */
export function isHttpService(name: string): boolean {
  return name.startsWith('HTTP/') || /^http\//i.test(name);
}

/** What options say about services. */
export interface ServiceNames {
  /** Whether tickets for a service are accepted. */
  readonly acceptsService: (name: string, realm: string) => boolean;
  /** The accepted services as a text for the log. */
  readonly services: string;
}

/** @param named names that servicePrincipalName accepted; none: every HTTP service */
export function serviceNames(named: readonly string[]): ServiceNames {
  return {
    acceptsService: (service, realm) =>
      named.length === 0 ? isHttpService(service) : named.some((name) => namesService(name, service, realm)),
    services: named.length === 0 ? 'HTTP/*' : named.join(', '),
  };
}
