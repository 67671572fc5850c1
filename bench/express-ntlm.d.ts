/** express-ntlm brings no types; this much of it is measured. */
declare module 'express-ntlm' {
  import type { RequestHandler } from 'express';
  export default function ntlm(): RequestHandler;
}
