/**
 * Conversations of CredSSP that were recorded from real clients (credssp.json): TSRequests as they were inside TLS, with
 * what a test needs to compute every message again.
 */
import { readFileSync } from 'node:fs';

/** One message, in hexadecimal. */
export interface RecordedTsRequest {
  readonly from: 'client' | 'server';
  readonly tsRequest: string;
}

/** One conversation; bytes are in hexadecimal. */
export interface RecordedConversation {
  /** Who spoke with which server. */
  readonly client: string;
  readonly exportedSessionKey: string;
  readonly clientNonce: string;
  /** What authInfo holds. */
  readonly tsCredentials: string;
  readonly messages: readonly RecordedTsRequest[];
}

export const credsspVectors = JSON.parse(readFileSync(new URL('credssp.json', import.meta.url), 'utf8')) as {
  readonly userName: string;
  readonly domain: string;
  readonly password: string;
  /** subjectPublicKey of the server's certificate. */
  readonly subjectPublicKey: string;
  readonly conversations: readonly RecordedConversation[];
};
